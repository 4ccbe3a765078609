import Core
import Testing

struct AuthorityTests {
    private func isValid(_ text: String) -> Bool { Authority.isValidAuthority(text.utf8.span) }

    @Test(arguments: [
        ("a", "a"), ("gw.test", "gw.test"), ("gw.test:80", "gw.test"), ("a:0", "a"), ("a:65535", "a"),
        ("A-b_c~d.:00080", "A-b_c~d."),
        ("127.0.0.1:8080", "127.0.0.1"), ("[::1]", "[::1]"), ("[::1]:443", "[::1]"),
        ("[::ffff:1.2.3.4]:1", "[::ffff:1.2.3.4]"),
        ("999.1.1.1", "999.1.1.1"),
    ])
    func `a valid authority and its host`(text: String, host: String) {
        let bytes = Array(text.utf8)
        #expect(isValid(text))
        #expect(String(decoding: bytes[Authority.hostRange(in: bytes.span)], as: UTF8.self) == host)
    }

    @Test(arguments: [
        "", ":", ":80", "a:", "a:b", "a:65536", "a:000080", "a:8 0", "a:80:80", "a b", " a", "a ", "user@a",
        "user:p@a:80", "a/b", "a?b",
        "a#b", "a\\b", "a,b", "a%41", "a;b", "a\0", "a\r\nX: y", "é.test", "[", "]", "[]", "[]:80", "[::1", "::1",
        "[::1]80", "[::1]:",
        "[::1]a", "[1.2.3.4]", "[v1.a]", "[::1%25lo]", "[[::1]]", "a[::1]", "[::g]", "http://a",
    ])
    func `anything else is refused`(text: String) {
        #expect(!isValid(text))
    }

    @Test(arguments: [
        ("a", 1), ("a:", 1), ("a:80", 4), ("[::1]:", 5), ("[::1]", 5), (":", nil), ("a::", nil), ("a:80:", nil), ("", nil),
        ("[::1]::", nil), ("a,b:", nil), ("[:", nil), ("[::1:", nil),
    ] as [(String, Int?)])
    func `an empty port says nothing`(text: String, count: Int?) {
        #expect(Authority.significantCount(in: text.utf8.span) == count)
    }

    @Test func `a host has at most 255 bytes`() {
        #expect(isValid(String(repeating: "a", count: 255)))
        #expect(!isValid(String(repeating: "a", count: 256)))
    }

    @Test func `the host range of any bytes lies within them`() {
        for text in ["", "[", "]", ":", "[::", "[]", "a]:[b", "::::"] {
            #expect(Authority.hostRange(in: text.utf8.span).upperBound <= text.utf8.count)
        }
    }
}
