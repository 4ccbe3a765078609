import Core
import Testing

struct SocketEndpointTests {
    @Test(arguments: [
        ("127.0.0.1:8080", "127.0.0.1:8080"), ("0.0.0.0:0", "0.0.0.0:0"), ("[::1]:65535", "[::1]:65535"),
        ("[2001:DB8::0]:80", "[2001:db8::]:80"), ("[::ffff:10.0.0.1]:1", "10.0.0.1:1"),
    ])
    func `an endpoint is read and written`(text: String, canonical: String) {
        #expect(SocketEndpoint(text)?.description == canonical)
    }

    @Test(arguments: [
        "", ":", ":80", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:080", "127.0.0.1:00", "127.0.0.1:+8",
        "127.0.0.1:8 ", "localhost:80", "::1:80", "[::1]", "[::1]80", "[::1]:", "[127.0.0.1]:80", "[::1:80", "[]:80",
        "[",
        "127.0.0.1:80:80", "[::1]:80]", "[::1%lo]:80", "127.0.0.1:999999999999999999999",
    ])
    func `anything else is refused`(text: String) {
        #expect(SocketEndpoint(text) == nil)
    }
}
