import Core
import HTTP1
import Testing

@Suite struct RequestTargetTests {
    static let taken: [(target: String, form: TargetForm, authority: String, path: String, query: String?)] = [
        ("/", .origin, "h", "/", nil), ("//a//b", .origin, "h", "//a//b", nil), ("/a?", .origin, "h", "/a", ""),
        ("/a?b?c/d", .origin, "h", "/a", "b?c/d"), ("/%2e%2E/x", .origin, "h", "/%2e%2E/x", nil),
        ("/a;b=1,2:@!$&'()*+~_-.", .origin, "h", "/a;b=1,2:@!$&'()*+~_-.", nil),
        ("/a?q={\"x\":[1|2]}^`\\<>%zz", .origin, "h", "/a", "q={\"x\":[1|2]}^`\\<>%zz"),
        ("http://x.test/s?q", .absolute, "x.test", "/s", "q"),
        ("HTTPS://X.test:8443/", .absolute, "X.test:8443", "/", nil),
        ("http://x.test", .absolute, "x.test", "", nil), ("http://x.test?q", .absolute, "x.test", "", "q"),
        ("http://[::1]:80/a", .absolute, "[::1]:80", "/a", nil),
    ]

    @Test(arguments: taken) func `a target is taken apart`(
        _ expected: (target: String, form: TargetForm, authority: String, path: String, query: String?)
    ) throws {
        let head = try #require(parseRequest("GET \(expected.target) HTTP/1.1\r\nHost: h\r\n\r\n").head)
        #expect(text(head.bytes, head.target) == expected.target)
        #expect(head.targetForm == expected.form)
        #expect(text(head.bytes, head.authority) == expected.authority)
        #expect(text(head.bytes, head.path) == expected.path)
        #expect((head.hasQuery ? text(head.bytes, head.query) : nil) == expected.query)
    }

    @Test func `an asterisk is for OPTIONS alone`() throws {
        let head = try #require(parseRequest("OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n").head)
        #expect(head.targetForm == .asterisk)
        #expect(text(head.bytes, head.path) == "*")
        #expect(parseRequest("GET * HTTP/1.1\r\n").progress == .malformed(.targetInvalid))
    }

    @Test(arguments: ["/[", "/]", "/^", "/`", "/{", "/|", "/}", "/<>\"", "/a[1]|b^c{d}?x", "/12345678[%5B"])
    func `bytes that browsers send unencoded are part of the path`(_ target: String) throws {
        let head = try #require(parseRequest("GET \(target) HTTP/1.1\r\nHost: h\r\n\r\n").head)
        #expect(text(head.bytes, head.path) == String(target.prefix { $0 != "?" }))
        let absolute = try #require(parseRequest("GET http://h\(target) HTTP/1.1\r\nHost: h\r\n\r\n").head)
        #expect(text(absolute.bytes, absolute.path) == text(head.bytes, head.path))
    }

    static let refused = [
        "a", "h:80", "**", "*/", "?", "/#", "/a#b", "/a?b#c", "/\u{80}", "/a\u{7f}", "/%", "/%1", "/%g0", "/%0g",
        "/a%2",
        "/\\", "/[\\", "/[%", "/^%4", "/%[1", "/a[1]#", "/%?a1", "ftp://h/", "http:/h", "http://",
        "http:///a",
        "http://u@h/", "http://u:p@h/", "http://h::/", "http://h:x/", "http://h:65536/", "http://h%61/", "http://a,b/",
        "httpx://h/",
        "http:h", "://h/", "http://[::1/", "http://[]/", "http://[1.2.3.4]/", "/a b",
    ]

    @Test(arguments: refused) func `what is no target is refused`(_ target: String) {
        let line = bytes("GET ") + target.unicodeScalars.map { UInt8($0.value) } + bytes(" HTTP/1.1\r\nHost: h\r\n\r\n")
        let fault: RequestFault = target == "/a b" ? .requestLineInvalid : .targetInvalid
        #expect(parseRequest(line).progress == .malformed(fault))
    }
}
