import Testing

@testable import Gateway

@Suite struct FetchAddressTests {
    @Test(arguments: [
        ("http://issuer.example/jwks", "issuer.example", 80, "issuer.example", "/jwks"),
        ("HTTP://issuer.example", "issuer.example", 80, "issuer.example", "/"),
        ("http://issuer.example:8080/a/b?c=d", "issuer.example", 8080, "issuer.example:8080", "/a/b?c=d"),
        ("http://issuer.example?c=d", "issuer.example", 80, "issuer.example", "/?c=d"),
        ("http://[::1]:9000/jwks", "::1", 9000, "[::1]:9000", "/jwks"),
        ("http://[::1]/jwks", "::1", 80, "[::1]", "/jwks"),
        ("http://127.0.0.1/a:b//c", "127.0.0.1", 80, "127.0.0.1", "/a:b//c"),
    ])
    func `an http URL is taken apart`(url: String, host: String, port: Int, field: String, target: String) throws {
        let address = try FetchAddress(url)
        #expect(address.host == host)
        #expect(Int(address.port) == port)
        #expect(address.hostField == field)
        #expect(address.target == target)
    }

    @Test(arguments: [
        "", "issuer.example/jwks", "ftp://issuer.example/", "http:/issuer.example/", "http://", "http:///jwks",
        "http://user@issuer.example/", "http://issuer.example/#f", "http://issuer.example:0/",
        "http://issuer.example:65536/", "http://issuer.example:+1/", "http://issuer.example:/", "http://[::1/",
        "http://[::1]x/", "http://issuer.example/a b", "http://issuer.example/a\r\nX: y", "http://issuer.exämple/",
    ])
    func `anything else is refused`(url: String) {
        #expect(throws: FetchFault.addressInvalid) { try FetchAddress(url) }
    }

    @Test func `https has a port of its own`() throws {
        let address = try FetchAddress("https://issuer.example/jwks")
        #expect(address.isSecure)
        #expect(address.port == 443)
        #expect(address.hostField == "issuer.example")
        #expect(try FetchAddress("HTTPS://issuer.example:8443/").port == 8443)
        #expect(try !FetchAddress("http://issuer.example/").isSecure)
    }
}
