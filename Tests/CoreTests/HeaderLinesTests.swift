import Core
import Testing

@Suite struct HeaderLinesTests {
    static func text(_ lines: borrowing HeaderLines) -> String { String(decoding: lines.wireForm, as: UTF8.self) }

    static func parts(_ lines: borrowing HeaderLines) -> [[String]] {
        var parts: [[String]] = []
        lines.forEach { name, value in
            parts.append([String(decoding: name.copied(), as: UTF8.self), String(decoding: value.copied(), as: UTF8.self)])
        }
        return parts
    }

    @Test func `lines are in wire form and their parts can be found`() {
        var lines = HeaderLines()
        lines.append(name: "A", value: "one".utf8.span)
        lines.append(name: "B".utf8.span, value: " two\t".utf8.span)
        lines.append(name: "C") { $0.append(decimal: 3) }
        lines.append(name: "D".utf8.span) { _ in }
        lines.append(name: "E", decimal: -7)
        #expect(Self.text(lines) == "A: one\r\nB: two\r\nC: 3\r\nD: \r\nE: -7\r\n")
        #expect(Self.parts(lines) == [["A", "one"], ["B", "two"], ["C", "3"], ["D", ""], ["E", "-7"]])
    }

    @Test func `no byte of a value ends its line`() {
        var lines = HeaderLines()
        lines.append(name: "A".utf8.span, value: Array(UInt8.min...UInt8.max).span)
        lines.append(name: "B", value: "x\r\nInjected: 1\r\n\r\n")
        // Whitespace and controls at the ends go, those inside become spaces.
        let expected: [UInt8] = Array(0x21...0xFF).map { $0 == 0x7F ? 0x20 : $0 }
        #expect(lines.wireForm == Array("A: ".utf8) + expected + Array("\r\nB: x  Injected: 1\r\n".utf8))
        #expect(Self.parts(lines).map(\.first) == ["A", "B"])
    }

    @Test func `emptied lines start anew`() {
        var lines = HeaderLines()
        lines.append(name: "A", value: "1")
        lines.removeAll()
        let isEmpty = lines.isEmpty
        #expect(isEmpty)
        lines.append(name: [0x42], value: [0x32])
        #expect(Self.text(lines) == "B: 2\r\n")
        #expect(Self.parts(lines) == [["B", "2"]])
    }

    @Test func `a control is found at every place of a value of every length`() {
        for length in 3..<40 {
            for position in 1..<length - 1 {
                for byte: UInt8 in [0x00, 0x09, 0x0A, 0x0D, 0x1F, 0x20, 0x7E, 0x7F, 0x80, 0xFF] {
                    var value = [UInt8](repeating: 0x61, count: length)
                    value[position] = byte
                    var lines = HeaderLines()
                    lines.append(name: "A", value: value.span)
                    value[position] = byte < 0x20 && byte != 0x09 || byte == 0x7F ? 0x20 : byte
                    if lines.wireForm != Array("A: ".utf8) + value + [0x0D, 0x0A] { Issue.record("\(value)") }
                }
            }
        }
    }
}
