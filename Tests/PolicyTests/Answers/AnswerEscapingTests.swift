import Core
import Testing

@testable import Policy

struct AnswerEscapingTests {
    private static let attack = "</script><img src=x onerror='a(\"b\\\\`')>\r\n\u{0}\u{2028}\u{202E}+ADw-{%\u{E9}&amp;"

    private func escaped(_ text: String, _ escaping: AnswerEscaping, isQuoted: Bool = false) -> String {
        var output: [UInt8] = []
        escaping.append(text.utf8.span, isQuoted: isQuoted, to: &output)
        return String(decoding: output, as: UTF8.self)
    }

    @Test(arguments: [
        ("application/json", AnswerEscaping.json), ("Application/Problem+JSON; charset=utf-8", .json), ("text/json", .json),
        ("text/plain", .text), ("TEXT/plain;charset=utf-8", .text), ("text/html", .markup), ("application/xhtml+xml", .markup),
        ("application/xml", .markup), ("image/svg+xml", .markup), ("text/javascript; charset=utf-8", .script), ("application/javascript", .script),
        ("application/x-www-form-urlencoded", .form), ("text/csv", .markup), ("x/y", .markup), ("text/plain, text/html", .markup), ("/", .markup),
        ("application/jsonp", .markup), ("text/html;x=application/json", .markup),
    ])
    func `the content type decides, and an unknown one is taken for markup`(type: String, escaping: AnswerEscaping) {
        #expect(AnswerEscaping(contentType: type) == escaping)
    }

    @Test(arguments: [
        ("X-Errors", AnswerEscaping.field), ("WWW-Authenticate", .field), ("LOCATION", .encodedField), ("Set-Cookie", .encodedField),
        ("refresh", .encodedField), ("Link", .encodedField),
    ])
    func `values of URLs and cookies are percent-encoded`(name: String, escaping: AnswerEscaping) {
        #expect(AnswerEscaping(field: name) == escaping)
    }

    @Test func `markup holds nothing that begins an element, ends an attribute or depends on a charset`() {
        let text = escaped(Self.attack, .markup)
        #expect(!text.contains { "<>\"'`\\=+{%\r\n".contains($0) } && text.utf8.allSatisfy { 0x20...0x7E ~= $0 })
        #expect(escaped("<b a='\u{E9}'> & \"c\"", .markup) == "&lt;b a&#61;&#39;&#233;&#39;&gt; &amp; &quot;c&quot;")
        #expect(escaped("Scope is unknown: a/b (c), d-e.", .markup) == "Scope is unknown: a/b (c), d-e.")
    }

    @Test func `a script's string cannot be ended, nor its element`() {
        for isQuoted in [false, true] {
            let text = escaped(Self.attack, .script, isQuoted: isQuoted)
            #expect(!text.contains { "<>&'\u{2028}\r\n".contains($0) } && text.contains(#"(\"b\\\\"#))
        }
        #expect(escaped("a\"b", .script) == #""a\"b""#)
        #expect(escaped("a\"b", .script, isQuoted: true) == #"a\"b"#)
    }

    @Test func `plain text is as it is, but on one line and in one direction`() {
        #expect(escaped("<a> \"b\" \u{E9}\r\n\u{0}\u{9B}\u{2028}\u{202E}c", .text) == "<a> \"b\" \u{E9}      c")
    }

    @Test func `forms and URLs hold no separators`() {
        for escaping in [AnswerEscaping.form, .encodedField] {
            #expect(escaped("a=b&c;d e\r\n\u{E9}/", escaping) == "a%3Db%26c%3Bd%20e%0D%0A%C3%A9%2F")
        }
    }

    @Test func `a field value cannot end its line or a quoted string`() {
        #expect(escaped("a\r\nB: c\u{7F}\"\\", .field) == "a  B: c \"\\")
        #expect(escaped("a\"b\\", .field, isQuoted: true) == #"a\"b\\"#)
    }
}
