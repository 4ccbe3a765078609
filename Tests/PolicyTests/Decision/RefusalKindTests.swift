import Core
import Foundation
import HTTP1
import Testing

@testable import Policy

struct RefusalKindTests {
    /// The table of reasons in `docs/reference.md`: status and kind by reason.
    private static func documented() throws -> [String: (status: String, kind: String)] {
        let text = try SchemaTests.file("docs/reference.md")
        let section = try #require(text.components(separatedBy: "\n## Reasons\n").last?.components(separatedBy: "\n## ").first)
        let row = /\| `([a-z0-9_]+)` \| (\d+) \| `([a-z_]+)` \| .+ \|/
        return Dictionary(
            section.split(separator: "\n").compactMap { line in
                (try? row.wholeMatch(in: line)).map { (String($0.1), (String($0.2), String($0.3))) }
            }, uniquingKeysWith: { first, _ in first })
    }

    @Test func `the reference tells the status and the kind of every reason`() throws {
        let documented = try Self.documented()
        for denial in Denial.all {
            #expect(documented[denial.reason]?.kind == denial.kind.rawValue, "\(denial.reason)")
            #expect(documented[denial.reason]?.status == String(denial.status), "\(denial.reason)")
        }
        let others = documented.filter { !Denial.allReasons.contains($0.key) }
        let parsers = Set(RequestFault.allCases.map(\.reason.description) + FramingFault.allCases.map(\.reason.description))
        #expect(Set(others.keys).isSuperset(of: parsers.subtracting(Denial.allReasons)))
        #expect(others.values.allSatisfy { $0.kind == RefusalKind.request.rawValue })
    }

    @Test func `the reference and the schema list every kind`() throws {
        let text = try SchemaTests.file("docs/reference.md")
        let table = try #require(text.components(separatedBy: "| kind | covers |\n").last?.components(separatedBy: "\n\n").first)
        let listed = table.split(separator: "\n").dropFirst().compactMap { $0.split(separator: "`").dropFirst().first.map(String.init) }
        #expect(listed == RefusalKind.allCases.map(\.rawValue))
        let names = try SchemaTests.schema()["$defs"]?["profile"]?["properties"]?["kinds"]?["propertyNames"]?["enum"]?.elements
        #expect(names?.compactMap(\.text) == listed)
    }

    @Test func `every kind but those that cover others has a reason`() {
        let kinds = Set(Denial.all.map(\.kind))
        let groups = Set(RefusalKind.allCases.compactMap(\.group))
        #expect(kinds == Set(RefusalKind.allCases).subtracting(groups))
        #expect(groups.allSatisfy { $0.group == nil })
    }

    @Test func `what the failure budget counts and what it refuses for is authentication`() {
        for denial in Denial.all where denial.couldBeGuess && denial != .currentPasswordWrong {
            #expect(denial.kind.group == .authentication, "\(denial.reason)")
        }
        #expect(Denial.tooManyFailures.kind.group == .authentication)
        #expect(Denial.tooManyAttempts.kind.group == .authentication)
        // An authenticated user sends it in a form.
        #expect(Denial.currentPasswordWrong.kind == .request)
        // Nothing is known of the token yet.
        #expect(Denial.token(.keySetUnavailable).kind == .unavailable)
    }
}
