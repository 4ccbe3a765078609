import Core
import HTTP1
import Testing

@Suite struct RequestHeadParserTests {
    @Test func `a plain request is taken apart`() throws {
        let text = "GET /a/b?x=1 HTTP/1.1\r\nHost: api.example:8080\r\nAccept: */*\r\n\r\n"
        let parsed = parseRequest("\r\n" + text + "rest")
        #expect(parsed.progress == .complete(byteCount: text.utf8.count + 2))
        let head = try #require(parsed.head)
        #expect(
            describe(head) == [
                text, "get GET", "/a/b?x=1", "origin", "/a/b", "?x=1", "api.example:8080",
                "http11 none true false false", "false", "host Host=api.example:8080", "other Accept=*/*",
            ])
    }
}
