import Core
import Testing

struct JSONWriterTests {
    private func written(_ bytes: [UInt8]) -> String {
        var output: [UInt8] = []
        output.append(jsonString: bytes.span)
        return String(decoding: output, as: UTF8.self)
    }

    @Test(arguments: [
        ("", #""""#), ("plain", #""plain""#), ("a\"b\\c/d", #""a\"b\\c/d""#),
        ("\u{8}\u{9}\u{A}\u{C}\u{D}", #""\b\t\n\f\r""#),
        ("\0\u{1B}[31m\u{7F}", #""\u0000\u001b[31m\u007f""#), ("é€𝄞", #""é€𝄞""#), ("x\u{1F}é\"", #""x\u001fé\"""#),
    ])
    func `a text is escaped`(text: String, expected: String) {
        #expect(written(Array(text.utf8)) == expected)
        var output: [UInt8] = []
        output.append(jsonString: text)
        #expect(output == Array(expected.utf8))
    }

    @Test(arguments: [
        ("\u{80}", #""\u0080""#), ("a\u{85}b\u{9B}31m\u{9F}\u{A0}", "\"a\\u0085b\\u009b31m\\u009f\u{A0}\""),
        ("x\u{2028}y\u{2029}z", #""x\u2028y\u2029z""#), ("\u{202A}\u{202E}\u{2066}\u{2069}", #""\u202a\u202e\u2066\u2069""#),
        ("\u{200E}\u{200F}\u{61C}", #""\u200e\u200f\u061c""#), ("\u{200D}\u{2027}\u{202F}\u{2065}", "\"\u{200D}\u{2027}\u{202F}\u{2065}\""),
    ])
    func `what could forge a line or turn it round is escaped`(text: String, expected: String) throws {
        #expect(written(Array(text.utf8)) == expected)
        guard case .string(let read) = try parsed(expected).value else {
            Issue.record("not a string")
            return
        }
        #expect(Array(read.utf8) == Array(text.utf8))
    }

    @Test(
        arguments: [
            [0x80], [0xC0, 0xAF], [0xC3], [0x61, 0xC3, 0x62], [0xE2, 0x82], [0xED, 0xA0, 0x80], [0xF0, 0x9F, 0x92],
            [0xF0, 0x80, 0x80, 0x80], [0xF4, 0x90, 0x80, 0x80], [0xF5, 0x61], [0xFF, 0xFE, 0xC3, 0xA9],
            [0xE0, 0x80, 0x22],
            [0xE1, 0x80, 0xE2, 0xF0, 0x91, 0x92, 0xF1, 0xBF, 0x41], [0xF0, 0x91, 0x92, 0xF1, 0xBF],
        ] as [[UInt8]])
    func `what is not UTF-8 becomes the replacement character as Unicode recommends`(bytes: [UInt8]) throws {
        guard case .string(let string) = try parsed(written(bytes)).value else {
            Issue.record("not a string")
            return
        }
        #expect(string == String(decoding: bytes, as: UTF8.self))
    }

    @Test func `every two bytes come out as a string that reads as what Unicode makes of them`() throws {
        for first in UInt8.min...UInt8.max {
            for second in stride(from: UInt8.min, through: 0xF8, by: 7) {
                let bytes = [first, second]
                guard case .string(let string) = try parsed(written(bytes)).value else {
                    Issue.record("not a string")
                    return
                }
                #expect(Array(string.utf8) == Array(String(decoding: bytes, as: UTF8.self).utf8))
            }
        }
    }

    @Test func `every byte at every place of a longer text is written and read as what it is`() throws {
        for byte in UInt8.min...UInt8.max {
            for place in 0..<20 {
                var bytes = [UInt8](repeating: 0x61, count: 20)
                bytes[place] = byte
                guard case .string(let string) = try parsed(written(bytes)).value else {
                    Issue.record("not a string")
                    return
                }
                #expect(string == String(decoding: bytes, as: UTF8.self))
                // The same bytes between quotation marks, unescaped: JSON only when the byte may stand there.
                let mayStand = byte >= 0x20 && byte < 0x80 && byte != 0x22 && byte != 0x5C
                #expect((refusal(of: [0x22] + bytes + [0x22]) == nil) == mayStand)
            }
        }
    }

    @Test func `a node is written without white space, its members in order`() throws {
        let node = try parsed(" { \"b\" : [ 1.50 , true , null ] , \"a\" : { \"x\\n\" : \"\\u00e9\" } , \"c\" : [ ] } ")
        #expect(serialised(node) == #"{"b":[1.50,true,null],"a":{"x\n":"é"},"c":[]}"#)
    }

    @Test func `what is written reads as the same value`() throws {
        var generator = SplitMix(state: 7)
        for _ in 0..<300 {
            let node = Self.anyNode(depth: 4, &generator)
            #expect(sameValue(node, try parsed(serialised(node))), "\(serialised(node))")
        }
    }

    private static func anyNode(depth: Int, _ generator: inout SplitMix) -> JSONNode {
        let place = SourcePosition(line: 1, column: 1)
        switch Int.random(in: 0..<(depth == 0 ? 4 : 7), using: &generator) {
        case 0: return JSONNode(.null, at: place)
        case 1: return JSONNode(.bool(.random(using: &generator)), at: place)
        case 2: return JSONNode(.number(JSONNumber(.random(in: .min ... .max, using: &generator))), at: place)
        case 3, 4: return JSONNode(.string(anyString(&generator)), at: place)
        case 5:
            let count = Int.random(in: 0..<5, using: &generator)
            return JSONNode(.array((0..<count).map { _ in anyNode(depth: depth - 1, &generator) }), at: place)
        default:
            let count = Int.random(in: 0..<20, using: &generator)
            let members = (0..<count).map { index in
                JSONMember(
                    name: "\(index)" + anyString(&generator), namePosition: place,
                    node: anyNode(depth: depth - 1, &generator))
            }
            return JSONNode(.object(members), at: place)
        }
    }

    private static func anyString(_ generator: inout SplitMix) -> String {
        let ranges: [ClosedRange<UInt32>] = [0...0x7F, 0x20...0x7E, 0x80...0x7FF, 0xE000...0xFFFF, 0x10000...0x10FFFF]
        var scalars = String.UnicodeScalarView()
        for _ in 0..<Int.random(in: 0..<12, using: &generator) {
            let range = ranges[Int.random(in: 0..<ranges.count, using: &generator)]
            scalars.append(Unicode.Scalar(.random(in: range, using: &generator)) ?? "?")
        }
        return String(scalars)
    }
}
