import Core
import Testing

@Suite struct HeaderLinesTests {
    static func text(_ lines: HeaderLines) -> String { String(decoding: lines.bytes, as: UTF8.self) }

    @Test func `lines are in wire form and their parts can be found`() {
        var lines = HeaderLines()
        lines.append(name: "A", value: "one".utf8.span)
        lines.append(name: "B".utf8.span, value: " two\t".utf8.span)
        lines.append(name: "C") { $0.append(decimal: 3) }
        lines.append(name: "D".utf8.span) { _ in }
        #expect(Self.text(lines) == "A: one\r\nB: two\r\nC: 3\r\nD: \r\n")
        let parts = lines.fields.map { field in
            [field.name, field.value].map { String(decoding: lines.bytes[$0.range], as: UTF8.self) }
        }
        #expect(parts == [["A", "one"], ["B", "two"], ["C", "3"], ["D", ""]])
    }

    @Test func `no byte of a value ends its line`() {
        var lines = HeaderLines()
        lines.append(name: "A".utf8.span, value: Array(UInt8.min...UInt8.max).span)
        lines.append(name: "B", value: "x\r\nInjected: 1\r\n\r\n")
        // Whitespace and controls at the ends go, those inside become spaces.
        let expected: [UInt8] = Array(0x21...0xFF).map { $0 == 0x7F ? 0x20 : $0 }
        #expect(lines.bytes == Array("A: ".utf8) + expected + Array("\r\nB: x  Injected: 1\r\n".utf8))
        #expect(lines.fields.count == 2)
    }

    @Test func `emptied lines start anew`() {
        var lines = HeaderLines()
        lines.append(name: "A", value: "1")
        lines.removeAll()
        #expect(lines.isEmpty)
        lines.append(name: [0x42], value: [0x32])
        #expect(Self.text(lines) == "B: 2\r\n")
        #expect(lines.fields.map(\.name) == [ByteRange(start: 0, count: 1)])
    }
}
