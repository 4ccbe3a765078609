import Core
import Foundation
import Testing

@testable import HTTP2

/// The conformance cases under Tests/Vectors/HTTP2.
@Suite struct ConformanceTests {
    struct Cases: Decodable {
        struct Case: Decodable, CustomTestStringConvertible {
            var id: String
            var title: String
            var fields: [[String]]
            var dataOctets: Int?
            var verdict: String

            var testDescription: String { "\(id) \(title)" }
        }

        var cases: [Case]
    }

    static let cases: [Cases.Case] = {
        let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        let file = folder.appending(path: "Vectors/HTTP2/downgrade.json")
        return (try? decoder.decode(Cases.self, from: Data(contentsOf: file)).cases) ?? []
    }()

    @Test func `the cases are there`() {
        #expect(Self.cases.count > 10)
        #expect(Self.cases.allSatisfy { $0.verdict == "reject" })
    }

    @Test(arguments: cases) func `a block that must never become HTTP 1 is rejected`(_ item: Cases.Case) {
        let peer = ServerPeer()
        let fields = item.fields.compactMap { $0.count == 2 ? ($0[0], $0[1]) : nil }
        peer.receive(Frames.opening)
        peer.receive(Frames.headers(fields, ends: item.dataOctets == nil))
        if let count = item.dataOctets {
            peer.receive(Frames.content([UInt8](repeating: 0x61, count: count), ends: true))
        }
        let frames = peer.frames()
        // A length that does not hold shows only when the content is there; the request never looks complete.
        #expect(!peer.events.contains("end 1"))
        #expect(item.dataOctets != nil || peer.faults[1] != nil || peer.heads.isEmpty)
        #expect(peer.faults[1] != nil || frames.resets(1) == [1])
    }
}
