import Core
import Testing

struct JSONMistakeTests {
    @Test(arguments: [
        ("{\n  \"a\": 1, // why\n}", 2, 11, "JSON has no comments"), ("{} # end", 1, 4, "JSON has no comments"),
        ("{\"a\": 1,\n}", 1, 8, "no comma may stand behind the last value"), ("[1,\n 2,\n]", 2, 3, "no comma may stand"),
        ("{\n  \"a\": 1\n  \"b\": 2\n}", 2, 8, "a comma is missing behind this value"),
        ("{\r\n  \"a\": \"x\"\r\n  \"b\": 2\r\n}", 2, 10, "a comma is missing"), ("[1,, 2]", 1, 4, "one comma too many"),
        ("listeners:\n  - a\n", 1, 1, "looks like YAML"), ("---\na: 1\n", 1, 1, "looks like YAML"), ("- a\n", 1, 1, "looks like YAML"),
        ("{'a': 1}", 1, 2, "double quotation marks"), ("{a: 1}", 1, 2, "write \"a\""), ("{\"a\": b}", 1, 7, "write \"b\""),
        ("{\u{201C}a\u{201D}: 1}", 1, 2, "typographic"), ("{\u{A0}\"a\": 1}", 1, 2, "no-break space"),
        ("{\"a\": \"x\ty\"}", 1, 9, "a tab in a string"), ("{\n  \"a\": \"x,\n  \"b\": 1\n}", 2, 8, "no closing quotation mark"),
        ("{\"a\": \"x", 1, 7, "no closing quotation mark"), ("\u{FEFF}{}", 1, 1, "byte order mark"), (" \n", 1, 1, "the file is empty"),
        ("{\"a\": NaN}", 1, 7, "not a number"), ("{\"a\": True}", 1, 7, "write true"), ("{\"a\": no}", 1, 7, "write false"),
        ("{\"a\": None}", 1, 7, "write null"), ("{\"a\": 0x1F}", 1, 7, "hexadecimal"), ("{\"a\": 007}", 1, 7, "leading zeros"),
        ("{\"a\": 60s}", 1, 7, "write \"60s\""), ("{\"a\":10MB}", 1, 6, "write \"10MB\""),
        ("{\"a\": 127.0.0.1:80}", 1, 7, "write \"127.0.0.1:80\""), ("{\"a\": :8080}", 1, 7, "write \":8080\""),
        ("{\"a\": 1_000}", 1, 7, "write 1000"), ("{\"a\": 1,000}", 1, 8, "remove this comma"), ("{\"a\": .5}", 1, 7, "write 0.5"),
        ("{\n  \"a\": [\n    1,\n    2\n", 2, 8, "not closed"), ("{\n  \"a\": {\n    \"b\": 1,\n  \"c\": 2\n}\n", 2, 8, "probably not closed"),
        ("{\n  \"a\": [\n    { \"b\": 1\n  ]\n}", 4, 3, "the \"{\" of line 3, column 5"), ("{}\n{}", 2, 1, "a second value"),
        ("{\"a\": 1}}", 1, 9, "one closing bracket too many"), ("{\"a\": {\"b\": 1}}, \"c\": 2}", 1, 15, "probably one closing bracket too many"),
        ("{\"a\" = 1}", 1, 6, "write \":\""), ("{\"a\" 1}", 1, 4, "a colon is missing"), ("{\"a\", \"b\"}", 1, 4, "a name without a value"),
        ("[\"a\": 1]", 1, 5, "a list has no names"), ("{\"a\": ${X}}", 1, 7, "env:NAME"), ("{\"a\": \"C:\\k\"}", 1, 10, "written twice"),
        ("{\n<<<<<<< HEAD\n", 2, 1, "merge conflict"), ("{\"a\": 1; \"b\": 2}", 1, 8, "write \",\""),
    ])
    func `a mistake is named where it was made`(text: String, line: Int, column: Int, phrase: String) {
        let bytes = Array(text.utf8)
        do throws(JSONError) {
            _ = try JSONNode.parse(bytes.span)
            Issue.record("taken: \(text)")
        } catch {
            let mistake = JSONMistake(error, in: bytes.span)
            #expect(mistake.position == SourcePosition(line: line, column: column), "\(text): \(mistake)")
            #expect(mistake.message.contains(phrase), "\(text): \(mistake)")
        }
    }

    @Test func `every cut and every changed byte of a text has a message on one line`() {
        let whole = Array("{\n  \"a\": [1, -2.5e3, {\"b\": \"x\\n\"}],\n  \"c\": null, \"d\": [true, false]\n}\n".utf8)
        var texts = whole.indices.map { Array(whole[..<$0]) }
        for index in whole.indices {
            for byte: UInt8 in [0, 0x0A, 0x20, 0x22, 0x27, 0x2C, 0x2D, 0x2E, 0x2F, 0x30, 0x3A, 0x5B, 0x5C, 0x5D, 0x61, 0x7B, 0x7D, 0x80, 0xE2, 0xFF] {
                var text = whole
                text[index] = byte
                texts.append(text)
            }
        }
        for text in texts {
            do throws(JSONError) { _ = try JSONNode.parse(text.span) } catch {
                let mistake = JSONMistake(error, in: text.span)
                let lines = text.count { $0 == 0x0A } + 1
                #expect(!mistake.message.isEmpty && !mistake.message.contains("\n"))
                #expect((1...lines).contains(mistake.position.line) && mistake.position.column >= 1)
            }
        }
    }
}
