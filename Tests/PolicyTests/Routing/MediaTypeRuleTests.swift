import Core
import Testing

@testable import Policy

/// What clients accept and what they send.
@Suite struct MediaTypeRuleTests {
    static let strict = MediaTypeRule(["application/json"])
    static let lax = MediaTypeRule(["application/json", "*/*"])

    @Test(arguments: [
        (["application/json"], true, true), (["APPLICATION/Json"], true, true), (["text/html, application/json;q=0.1"], true, true),
        (["text/html", "application/json"], true, true), (["application/json; charset=utf-8"], true, true),
        (["text/html;x=\"a,application/json\", text/plain"], false, false), (["text/html;x=\"\\\",application/json"], false, false),
        (["application/jsonp"], false, false), (["application/json+x"], false, false), (["json"], false, false),
        (["application/json;q=0"], false, false), (["application/json;q=0.000, */*"], false, false),
        (["application/json;q="], false, false), (["application/json ; Q=0.001"], true, true),
        (["*/*"], false, true), (["application/*"], false, true), (["text/*"], false, false), (["*/*;q=0"], false, false),
        (["text/html, */*;q=0.1"], false, true), ([""], false, false), ([], false, true), (["*"], false, false),
    ])
    func `a client accepts`(accept: [String], isStrictly: Bool, isLaxly: Bool) throws {
        let head = try PolicyFixture.head("GET /", accept.map { "Accept: \($0)" })
        #expect(Self.strict.isAccepted(by: head) == isStrictly)
        #expect(Self.lax.isAccepted(by: head) == isLaxly)
    }

    @Test(arguments: [
        (["Content-Length: 2", "Content-Type: application/json"], true),
        (["Content-Length: 2", "Content-Type: Application/JSON ; charset=utf-8"], true),
        (["Transfer-Encoding: chunked", "Content-Type: text/plain"], false), (["Content-Length: 2"], false),
        (["Content-Length: 2", "Content-Type: "], false), (["Content-Length: 0", "Content-Type: text/plain"], true), ([], true),
        (["Content-Length: 2", "Content-Type: application/json", "Content-Type: application/json"], false),
        (["Content-Length: 2", "Content-Type: application/json, text/plain"], false),
    ])
    func `content is taken`(fields: [String], isTaken: Bool) throws {
        #expect(Self.strict.takesContent(of: try PolicyFixture.head("POST /", fields)) == isTaken)
    }

    @Test(arguments: [
        (["text/plain"], true), (["application/json", "Text/Plain"], true), (["application/json"], false), (["*/*"], false), ([], false),
    ])
    func `actions take plain text for JSON where it is listed by name`(types: [String], isTaken: Bool) {
        #expect(MediaTypeRule(types).takesPlainText == isTaken)
    }
}
