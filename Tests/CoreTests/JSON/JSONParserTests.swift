import Core
import Testing

struct JSONParserTests {
    @Test(arguments: [
        (#"{"a" 1}"#, JSONError.Reason.unexpectedByte(0x31, expected: .colon), 1, 6),
        (#"{"a":1,}"#, .unexpectedByte(0x7D, expected: .memberName), 1, 8),
        ("[1,\n 2,\n  ]", .unexpectedByte(0x5D, expected: .value), 3, 3),
        ("[1 2]", .unexpectedByte(0x32, expected: .commaOrBracket), 1, 4),
        (#"{"a":1 "b":2}"#, .unexpectedByte(0x22, expected: .commaOrBrace), 1, 8),
        ("{\r\n  \"a\": tru\r\n}", .unexpectedByte(0x74, expected: .value), 2, 8),
        ("", .unexpectedEnd, 1, 1),
        ("[", .unexpectedEnd, 1, 2),
        ("\"abc", .unexpectedEnd, 1, 5),
        ("\"abc\\", .unexpectedEnd, 1, 6),
        ("nul", .unexpectedEnd, 1, 4),
        ("1 2", .trailingContent, 1, 3),
        ("{}\n}", .trailingContent, 2, 1),
        ("01", .invalidNumber, 1, 2),
        ("1.", .unexpectedEnd, 1, 3),
        ("[1.]", .invalidNumber, 1, 4),
        ("-", .unexpectedEnd, 1, 2),
        ("1e+x", .invalidNumber, 1, 4),
        ("1.2.3", .invalidNumber, 1, 4),
        (#""\x""#, .invalidEscape, 1, 2),
        (#""ab\u12g4""#, .invalidEscape, 1, 4),
        (#""\u12""#, .invalidEscape, 1, 2),
        (#""\uD800""#, .loneSurrogate, 1, 2),
        (#""\uDC00""#, .loneSurrogate, 1, 2),
        (#""x\uD800\u0041""#, .loneSurrogate, 1, 3),
        (#""\uD800\uD800""#, .loneSurrogate, 1, 2),
        (#""\uD834\"#, .unexpectedEnd, 1, 9),
        ("\"a\nb\"", .controlCharacter(0x0A), 1, 3),
        ("\"\0\"", .controlCharacter(0x00), 1, 2),
        (#"{"a":1,"b":2,"\u0061":3}"#, .duplicateMember("a"), 1, 14),
        ("\u{FEFF}{}", .byteOrderMark, 1, 1),
    ])
    func `a text is refused with its reason and place`(
        text: String, reason: JSONError.Reason, line: Int, column: Int
    ) {
        #expect(refusal(of: text) == JSONError(reason, at: SourcePosition(line: line, column: column)))
    }

    @Test(
        arguments: [
            ([0x22, 0xC3, 0x22], 2), ([0x22, 0x61, 0xC0, 0xAF, 0x22], 3), ([0x22, 0xED, 0xA0, 0x80, 0x22], 2),
            ([0x22, 0xF5, 0x80, 0x80, 0x80, 0x22], 2), ([0x22, 0x61, 0x62, 0xFF, 0x22], 4),
            ([0x22, 0x5C, 0x6E, 0x80, 0x22], 4), ([0x22, 0xE2, 0x82, 0x5C, 0x6E, 0xAC, 0x22], 2),
        ] as [([UInt8], Int)])
    func `bytes that are not UTF-8 are refused where they stand`(bytes: [UInt8], column: Int) {
        #expect(refusal(of: bytes) == JSONError(.invalidUTF8, at: SourcePosition(line: 1, column: column)))
    }

    @Test func `every value knows line and column of its first byte, in bytes`() throws {
        let node = try parsed("{\n  \"é\": [1,\n\ttrue, {\"x\" : null}]\n}")
        #expect(node.position == SourcePosition(line: 1, column: 1))
        guard case .object(let members) = node.value, case .array(let elements) = members[0].node.value else {
            Issue.record("not the value that was written")
            return
        }
        #expect(members[0].namePosition == SourcePosition(line: 2, column: 3))
        #expect(members[0].node.position == SourcePosition(line: 2, column: 9))
        #expect(
            elements.map(\.position) == [
                SourcePosition(line: 2, column: 10), SourcePosition(line: 3, column: 2),
                SourcePosition(line: 3, column: 8),
            ])
        #expect(elements[2]["x"]?.position == SourcePosition(line: 3, column: 15))
    }

    @Test(arguments: [
        (#""\"\\\/\b\f\n\r\t""#, "\"\\/\u{8}\u{C}\n\r\t"),
        (#""\u00e9\u20AC\uD834\uDD1E\u0000""#, "é€\u{1D11E}\0"),
        (#""plain é€𝄞""#, "plain é€𝄞"),
        (#""mixed é \u00e9 \n""#, "mixed é é \n"),
        ("\"\u{7F}\u{2028}\"", "\u{7F}\u{2028}"),
        ("\"\"", ""),
    ])
    func `a string stands for these characters`(text: String, meaning: String) throws {
        guard case .string(let string) = try parsed(text).value else {
            Issue.record("not a string")
            return
        }
        #expect(Array(string.utf8) == Array(meaning.utf8))
    }

    @Test func `containers may be open up to the limit and no deeper`() {
        func nested(_ depth: Int) -> [UInt8] {
            Array(repeating: 0x5B, count: depth) + Array(repeating: 0x5D, count: depth)
        }
        #expect(refusal(of: nested(64)) == nil)
        #expect(
            refusal(of: nested(65)) == JSONError(.depthExceeded(limit: 64), at: SourcePosition(line: 1, column: 65)))
        #expect(refusal(of: Array("[]".utf8), depthLimit: 0)?.reason == .depthExceeded(limit: 0))
        #expect(refusal(of: Array("1".utf8), depthLimit: 0) == nil)
        #expect(refusal(of: nested(65), depthLimit: .max)?.reason == .depthExceeded(limit: 64))
    }

    @Test(arguments: ["[", #"{"a":"#, #"[{"a":"#])
    func `a depth bomb is refused at the limit`(unit: String) {
        let error = refusal(of: String(repeating: unit, count: 500_000))
        #expect(error?.reason == .depthExceeded(limit: 64))
    }

    @Test func `siblings do not count as depth`() {
        #expect(refusal(of: "[" + String(repeating: "[],{},", count: 1000) + "[]]") == nil)
    }

    @Test(arguments: [1, 5, 12, 13, 14, 100, 5000])
    func `a doubled member is found among any number of others`(count: Int) throws {
        let members = (0..<count).map { #""m\#($0)":0"# }.joined(separator: ",")
        #expect(refusal(of: "{\(members)}") == nil)
        for doubled in [0, count / 2, count - 1] {
            #expect(refusal(of: #"{\#(members),"m\#(doubled)":1}"#)?.reason == .duplicateMember("m\(doubled)"))
        }
    }

    @Test func `the same name in two objects is not doubled`() {
        #expect(refusal(of: #"{"a":{"a":{"a":1}},"b":[{"a":1},{"a":1}]}"#) == nil)
    }

    @Test(arguments: [0, 11, 12, 13, 40])
    func `canonically equivalent names are doubled in files of the operator only`(others: Int) {
        let members = (0..<others).map { #""m\#($0)":0,"# }.joined()
        let text = #"{\#(members)"\u00e9":1,"e\u0301":2}"#
        #expect(refusal(of: text) == nil)
        #expect(throws: Never.self) { try JSONNode.parse(text.utf8.span, dialect: .foreign) }
        #expect(throws: JSONError.self) { try JSONNode.parse(text.utf8.span, dialect: .policy) }
        let doubled = #"{\#(members)"e\u0301":1,"e\u0301":2}"#
        for dialect in [JSONDialect.strict, .policy, .foreign] {
            #expect(throws: JSONError.self) { try JSONNode.parse(doubled.utf8.span, dialect: dialect) }
        }
    }

    @Test(arguments: [
        (#""\ud83d""#, "\u{FFFD}"), (#""a\udc00b""#, "a\u{FFFD}b"), (#""\ud800\ud83d\ude00""#, "\u{FFFD}\u{1F600}"),
        (#""\ud800\u0041""#, "\u{FFFD}A"), (#""\ud800\n""#, "\u{FFFD}\n"), (#""\udc00\ud800""#, "\u{FFFD}\u{FFFD}"),
    ])
    func `half of a surrogate pair is a value in documents of issuers, and never a name`(text: String, value: String) throws {
        guard case .string(let read) = try JSONNode.parse(text.utf8.span, dialect: .foreign).value else {
            Issue.record("\(text) is no string")
            return
        }
        #expect(read == value)
        for dialect in [JSONDialect.strict, .policy] {
            #expect(throws: JSONError.self) { try JSONNode.parse(text.utf8.span, dialect: dialect) }
        }
        #expect(throws: JSONError.self) { try JSONNode.parse("{\(text):1}".utf8.span, dialect: .foreign) }
    }

    @Test func `a longer text than asked for is refused unread`() {
        #expect(throws: JSONError(.tooLarge, at: SourcePosition(line: 1, column: 1))) {
            try JSONNode.parse("[1]".utf8.span, byteLimit: 2)
        }
        #expect(throws: Never.self) { try JSONNode.parse("[1]".utf8.span, byteLimit: 3) }
    }

    @Test func `an error reads as a sentence for the author`() {
        #expect(refusal(of: "[1,]")?.message == "expected a value, found \"]\"")
        #expect(refusal(of: "[1,\u{1}]")?.message == "expected a value, found byte 0x01")
        #expect(refusal(of: #"{"a":1,"a":2}"#)?.message == "the member \"a\" appears twice")
    }
}
