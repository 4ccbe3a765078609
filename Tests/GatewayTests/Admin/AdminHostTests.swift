import Testing

@testable import Gateway

struct AdminHostTests {
    @Test(arguments: [
        "127.0.0.1", "127.0.0.1:9901", "10.1.2.3:80", "[::1]", "[::1]:9901", "[fd00::1]:9901", "localhost", "LocalHost:9901",
        "gateway.internal", "Gateway.Internal:9901", "127.0.0.1:", "localhost.", "localhost.:9901",
        "gateway.internal.", "[::ffff:127.0.0.1]:9901",
    ])
    func `addresses, localhost and listed names are the listener's own`(authority: String) {
        #expect(AdminHost.isOwn(authority, listed: ["gateway.internal"]))
    }

    @Test(arguments: [
        "", ":9901", "evil.example", "evil.example:9901", "127.0.0.1.evil.example", "localhost.evil.example",
        "localhost..", "notlocalhost", "x.gateway.internal", "gateway.internal.evil.example", "[::1", "[::1]x", "[::1]:x", "[127.0.0.1]", "::1",
        "127.0.0.1:80x", "127.0.0.1@evil.example", "evil.example#127.0.0.1", "0x7f000001", "2130706433", "127.1", "[]", "[evil.example]",
    ])
    func `every other name is not`(authority: String) {
        #expect(!AdminHost.isOwn(authority, listed: ["gateway.internal"]))
    }
}
