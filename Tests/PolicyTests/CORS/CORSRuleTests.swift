import Core
import Testing

@testable import Policy

/// What a rule makes of a request's origin, and the fields that come of it.
struct CORSRuleTests {
    private static func rule(_ change: (inout CORSConfiguration) -> Void = { _ in }) throws -> CORSRule {
        var terms = CORSConfiguration()
        terms.origins = [try CORSOrigin.read("https://app.example").get()]
        change(&terms)
        return CORSRule(terms, leavesUpstream: false, read: ["Authorization"], rates: RateHeaderStyle())
    }

    private static func allowed(_ rule: CORSRule, _ fields: [String]) throws -> String? {
        let head = try PolicyFixture.head("GET /", fields)
        guard case .allowed(let range) = rule.verdict(on: head) else { return nil }
        return String(decoding: head.bytes[range.range], as: UTF8.self)
    }

    @Test(arguments: [
        (["Origin: https://app.example"], true), (["oRIGIN:  https://app.example  "], true), (["Origin: https://b.example"], false),
        (["Origin: https://app.example", "Origin: https://app.example"], false), (["Origin:"], false), (["X-Origin: https://app.example"], false),
        (["Connection: origin", "Origin: https://app.example"], true),
    ])
    func `one origin of the list is allowed`(fields: [String], isAllowed: Bool) throws {
        #expect(try Self.allowed(try Self.rule(), fields) == (isAllowed ? "https://app.example" : nil))
    }

    @Test func `every origin is one, and none is`() throws {
        let rule = try Self.rule { $0.origins = [] }
        #expect(try Self.allowed(rule, ["Origin: null"]) == "null")
        #expect(try Self.allowed(rule, []) == nil)
        #expect(try Self.allowed(rule, ["Origin: a", "Origin: a"]) == nil)
    }

    @Test(arguments: [
        ("authorization", ["*"], true), ("x-any", ["*"], true), ("X-ANY", ["x-any"], true), ("x-any", ["X-Any-Other", "Any"], false),
        ("authorization", nil, true), ("content-type", nil, false), ("", ["*"], true), ("a", [], false),
    ] as [(String, [String]?, Bool)])
    func `a request field is allowed by name`(name: String, listed: [String]?, isAllowed: Bool) throws {
        let found = try Self.rule { $0.headers = listed }.allowsField(name.utf8.span)
        #expect(found == isAllowed)
    }

    @Test(arguments: ["Access-Control-Allow-Origin", "access-control-x", "ACCESS-CONTROL-MAX-AGE"])
    func `a field of the protocol`(name: String) {
        let found = CORSRule.isCORSField(name.utf8.span)
        #expect(found)
    }

    @Test(arguments: ["Access-Control-", "Access-Control", "X-Access-Control-Allow-Origin", "Accept", ""])
    func `another field`(name: String) {
        let found = CORSRule.isCORSField(name.utf8.span)
        #expect(!found)
    }
}
