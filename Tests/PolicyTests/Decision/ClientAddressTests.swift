import Core
import Testing

@testable import Policy

struct ClientAddressTests {
    private func client(
        _ fields: [String], family: ForwardedFields = .xForwarded, from peer: String = "10.0.0.1"
    ) throws -> String {
        let rule = ClientAddress(
            trusted: try ["10.0.0.0/8", "2001:db8::/32"].map { try CIDRBlock.parse($0) }, family: family)
        let peer = try #require(IPAddress(peer))
        guard rule.trusts(peer) else { return "\(peer) (untrusted)" }
        return try rule.client(PolicyFixture.head("GET /", fields), behind: peer)?.description ?? "ambiguous"
    }

    @Test(
        arguments: [
            ("no field", [], "10.0.0.1"),
            ("one hop", ["X-Forwarded-For: 192.0.2.1"], "192.0.2.1"),
            ("the leftmost is the client's own claim", ["X-Forwarded-For: 1.1.1.1, 192.0.2.1"], "192.0.2.1"),
            ("trusted hops are stepped over", ["X-Forwarded-For: 1.1.1.1, 192.0.2.1, 10.1.1.1, 10.2.2.2"], "192.0.2.1"),
            ("only trusted hops", ["X-Forwarded-For: 10.9.9.9, 10.1.1.1"], "10.9.9.9"),
            (
                "several lines are one list", ["X-Forwarded-For: 1.1.1.1, 192.0.2.1", "X-Forwarded-For: 10.1.1.1"],
                "192.0.2.1"
            ),
            ("garbage ends the walk", ["X-Forwarded-For: 192.0.2.1, evil, 10.1.1.1"], "10.1.1.1"),
            ("garbage at the right end", ["X-Forwarded-For: 192.0.2.1, evil"], "10.0.0.1"),
            ("empty items are none", ["X-Forwarded-For: , 192.0.2.1,, 10.1.1.1 ,\t,"], "192.0.2.1"),
            ("nothing but empty items", ["X-Forwarded-For: ,,"], "10.0.0.1"),
            ("an empty field", ["X-Forwarded-For:"], "10.0.0.1"),
            ("a port", ["X-Forwarded-For: 192.0.2.1:4711"], "192.0.2.1"),
            ("quotation marks", ["X-Forwarded-For: \"192.0.2.1\""], "192.0.2.1"),
            ("IPv6", ["X-Forwarded-For: 2001:db9::1"], "2001:db9::1"),
            ("IPv6 in brackets", ["X-Forwarded-For: [2001:db9::1]"], "2001:db9::1"),
            ("IPv6 with a port", ["X-Forwarded-For: [2001:db9::1]:80"], "2001:db9::1"),
            ("trusted IPv6", ["X-Forwarded-For: 192.0.2.1, 2001:db8::5"], "192.0.2.1"),
            ("mapped IPv4 is IPv4", ["X-Forwarded-For: 192.0.2.1, ::ffff:10.1.1.1"], "192.0.2.1"),
            ("IPv4 in brackets is no address", ["X-Forwarded-For: [192.0.2.1]"], "10.0.0.1"),
            ("octal is no address", ["X-Forwarded-For: 0300.0.2.1"], "10.0.0.1"),
            ("a port out of range", ["X-Forwarded-For: 192.0.2.1:99999"], "10.0.0.1"),
            ("a word", ["X-Forwarded-For: unknown"], "10.0.0.1"),
            ("the other family is not read", ["Forwarded: for=192.0.2.1"], "10.0.0.1"),
            ("Connection cannot hide it", ["Connection: X-Forwarded-For", "X-Forwarded-For: 192.0.2.1"], "192.0.2.1"),
        ] as [(String, [String], String)])
    func `walks of X-Forwarded-For`(trick: String, fields: [String], expected: String) throws {
        #expect(try client(fields) == expected, "\(trick)")
    }

    @Test(
        arguments: [
            ("one hop", ["Forwarded: for=192.0.2.1"], "192.0.2.1"),
            ("case and other parameters", ["Forwarded: proto=https;FOR=192.0.2.1;by=10.0.0.1"], "192.0.2.1"),
            ("quoted with a port", ["Forwarded: for=\"192.0.2.1:80\""], "192.0.2.1"),
            ("quoted IPv6", ["Forwarded: for=\"[2001:db9::1]:80\";proto=http"], "2001:db9::1"),
            ("an obfuscated port", ["Forwarded: for=\"192.0.2.1:_x\""], "192.0.2.1"),
            ("bare IPv6 is no node", ["Forwarded: for=[2001:db9::1]"], "10.0.0.1"),
            ("a bare port is no node", ["Forwarded: for=192.0.2.1:80"], "10.0.0.1"),
            ("two hops", ["Forwarded: for=192.0.2.1, for=10.1.1.1"], "192.0.2.1"),
            ("several lines", ["Forwarded: for=192.0.2.1", "Forwarded: for=10.1.1.1"], "192.0.2.1"),
            ("unknown ends the walk", ["Forwarded: for=192.0.2.1, for=unknown, for=10.1.1.1"], "10.1.1.1"),
            ("hidden ends the walk", ["Forwarded: for=192.0.2.1, for=_hidden"], "10.0.0.1"),
            (
                "a comma in quotation marks divides nothing", ["Forwarded: for=192.0.2.1;host=\"a,for=1.1.1.1\""],
                "192.0.2.1"
            ),
            ("two nodes in one element", ["Forwarded: for=192.0.2.1;for=1.1.1.1"], "10.0.0.1"),
            ("an open quotation mark", ["Forwarded: for=192.0.2.1, for=\"10.1.1.1"], "10.0.0.1"),
            ("empty elements are none", ["Forwarded: for=192.0.2.1,, for=10.1.1.1, "], "192.0.2.1"),
            ("an element without a node", ["Forwarded: for=192.0.2.1, proto=http"], "10.0.0.1"),
            ("the other family is not read", ["X-Forwarded-For: 192.0.2.1"], "10.0.0.1"),
        ] as [(String, [String], String)])
    func `walks of Forwarded`(trick: String, fields: [String], expected: String) throws {
        #expect(try client(fields, family: .forwarded) == expected, "\(trick)")
    }

    @Test func `both families must not contradict each other`() throws {
        let both = ["X-Forwarded-For: 192.0.2.1", "Forwarded: for=192.0.2.1"]
        #expect(try client(both, family: .both) == "192.0.2.1")
        #expect(try client([both[0]], family: .both) == "192.0.2.1")
        #expect(try client([both[1]], family: .both) == "192.0.2.1")
        #expect(try client([both[0], "Forwarded: for=192.0.2.2"], family: .both) == "ambiguous")
        #expect(try client(["X-Forwarded-For: ,", both[1]], family: .both) == "192.0.2.1")
    }

    @Test func `without a family nothing is believed`() throws {
        #expect(try client(["X-Forwarded-For: 192.0.2.1", "Forwarded: for=192.0.2.1"], family: .none) == "10.0.0.1")
    }

    @Test func `an untrusted peer is never asked`() throws {
        #expect(try client(["X-Forwarded-For: 192.0.2.1"], from: "192.0.2.9") == "192.0.2.9 (untrusted)")
    }
}
