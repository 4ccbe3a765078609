import Testing

@testable import Gateway

@Suite struct ShellWordsTests {
    static let lines: [(String, [String])] = [
        ("curl http://a", ["curl", "http://a"]),
        ("  a\tb  ", ["a", "b"]),
        ("'a b' \"c d\" e\\ f", ["a b", "c d", "e f"]),
        ("a'b'\"c\"d", ["abcd"]),
        ("'' \"\" x", ["", "", "x"]),
        (#""a\"b\\c\d""#, [#"a"b\c\d"#]),
        (#"'a\b'"#, [#"a\b"#]),
        ("curl \\\n  -H 'A: b' \\\r\n  http://a", ["curl", "-H", "A: b", "http://a"]),
        (#"$'it\'s\n\u0021\x41'"#, ["it's\n!A"]),
        (#"$'\ud83d\ude00!'"#, ["😀!"]),
        ("\"a\\\nb\"", ["ab"]),
        ("a # b", ["a"]),
        ("a#b", ["a#b"]),
        ("'héé'", ["héé"]),
    ]

    @Test(arguments: lines)
    func `a line is split as a shell splits it`(line: String, words: [String]) throws {
        #expect(try ShellWords.split(line).words == words)
    }

    @Test(arguments: ["'a", "\"a", "$'a", "a | b", "a && b", "curl http://a?b&c", "$HOME", "\"$HOME\"", "`id`", "a > b", "$'\\u'", "$'\\ud83d'", "$'\\ud83d\\u0041'", "$'\\ude00\\ud83d'"])
    func `what a shell would do more with is a fault of one line`(line: String) {
        let fault = #expect(throws: ExplainFault.self) { try ShellWords.split(line) }
        #expect(fault?.message.contains("\n") == false)
    }

    @Test func `a line that is too long is refused`() {
        #expect(throws: ExplainFault.self) {
            try ShellWords.split(String(repeating: "a", count: ShellWords.byteLimit + 1))
        }
    }
}
