import Core
import Foundation
import Testing

/// The rows of the shared address cases.
struct AddressCaseTests {
    struct Row: Codable, Sendable, CustomTestStringConvertible {
        var id, text, kind, verdict, why: String
        var testDescription: String { "\(id): \(why)" }
    }

    static let rows: [Row] = {
        let file = URL(filePath: #filePath).deletingLastPathComponent().appending(
            path: "../Vectors/addresses/cases.json")
        guard let content = try? Data(contentsOf: file.standardized) else { return [] }
        return (try? JSONDecoder().decode([Row].self, from: content)) ?? []
    }()

    @Test func `the cases are where these tests look for them`() {
        #expect(Self.rows.count == 27)
        #expect(Set(Self.rows.map(\.kind)) == ["address", "prefix"])
        #expect(Set(Self.rows.map(\.verdict)) == ["valid", "invalid", "policy"])
    }

    @Test(arguments: rows)
    func `a row has its verdict`(row: Row) {
        let isRead = row.kind == "address" ? IPAddress(row.text) != nil : CIDRBlock(row.text) != nil
        // What is left to policy is refused here.
        #expect(isRead == (row.verdict == "valid"))
    }

    @Test func `rows that say what an address is not`() throws {
        let loopback = try CIDRBlock.parse("127.0.0.1/32")
        let mapped = try #require(IPAddress("::ffff:127.0.0.1"))
        let compatible = try #require(IPAddress("::127.0.0.1"))
        let sixToFour = try #require(IPAddress("2002:7f00:1::"))
        #expect(loopback.contains(mapped))
        #expect(!loopback.contains(compatible))
        #expect(!loopback.contains(sixToFour))
        #expect(!(try CIDRBlock.parse("::/0").contains(mapped)))
    }
}
