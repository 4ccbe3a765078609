import Core
import Testing

@testable import Policy

struct UpgradeRuleTests {
    private let rule = UpgradeRule(UpgradeConfiguration(protocols: ["websocket", "foo/2"]))

    @Test(
        arguments: [
            (["Connection: Upgrade", "Upgrade: websocket"], "websocket"),
            (["Connection: keep-alive, upgrade", "Upgrade: WebSocket"], "WebSocket"),
            (["Connection: Upgrade", "Upgrade: h2c, websocket"], "websocket"),
            (["Connection: Upgrade", "Upgrade: h2c", "Upgrade: Foo/2"], "Foo/2"),
            (["Connection: Upgrade", "Upgrade: websocket/13"], nil),
            (["Connection: Upgrade", "Upgrade: foo"], nil),
            (["Connection: Upgrade", "Upgrade: h2c"], nil),
            (["Connection: Upgrade", "Upgrade: ,"], nil),
            (["Upgrade: websocket"], nil),
            (["Connection: Upgrade"], nil),
            (["Connection: Upgrade", "Upgrade: websocket", "Content-Length: 3"], nil),
            (["Connection: Upgrade", "Upgrade: websocket", "Transfer-Encoding: chunked"], nil),
        ] as [([String], String?)])
    func `the first protocol the rule admits is asked for`(fields: [String], expected: String?) throws {
        let head = try PolicyFixture.head("GET /a", fields)
        let found = rule.requested(by: head).map { String(decoding: head.bytes[$0], as: UTF8.self) }
        #expect(found == expected)
    }

    @Test func `HTTP/1.0 changes nothing`() throws {
        let head = try PolicyFixture.head("GET /a", ["Connection: Upgrade", "Upgrade: websocket"], version: "HTTP/1.0")
        #expect(rule.requested(by: head) == nil)
    }
}
