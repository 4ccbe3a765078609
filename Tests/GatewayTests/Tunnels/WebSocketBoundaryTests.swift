import Testing

@testable import Gateway

/// Boundaries of frames, whole, byte by byte and split at every index.
struct WebSocketBoundaryTests {
    /// A frame's header and a payload of zeros.
    static func frame(_ opcode: UInt8, _ length: Int, masked: Bool = false, fin: Bool = true) -> [UInt8] {
        var bytes: [UInt8] = [(fin ? 0x80 : 0) | opcode]
        let mask: UInt8 = masked ? 0x80 : 0
        if length < 126 {
            bytes.append(mask | UInt8(length))
        } else if length < 65_536 {
            bytes += [mask | 126, UInt8(length >> 8), UInt8(length & 0xFF)]
        } else {
            bytes.append(mask | 127)
            for shift in stride(from: 56, through: 0, by: -8) { bytes.append(UInt8(length >> shift & 0xFF)) }
        }
        if masked { bytes += [0x81, 0x00, 0x88, 0x7E] }
        return bytes + [UInt8](repeating: 0x88, count: length)
    }

    static let stream: [[UInt8]] = [
        frame(1, 0), frame(1, 5), frame(2, 125, masked: true), frame(2, 126), frame(2, 127, masked: true),
        frame(1, 3, fin: false), frame(9, 2), frame(0, 4), frame(10, 125, masked: true), frame(2, 300, masked: true),
        frame(1, 0, masked: true), frame(2, 65_535), frame(2, 65_536, masked: true), frame(9, 0), frame(8, 2),
    ]

    private func ends(of frames: [[UInt8]]) -> [Int] {
        var end = 0
        return frames.map { frame in
            end += frame.count
            return end
        }
    }

    @Test func `frames read byte by byte end where they end`() {
        let bytes = Self.stream.flatMap { $0 }
        var boundary = WebSocketBoundary()
        var found: [Int] = []
        for (index, byte) in bytes.enumerated() {
            let taken = boundary.advance(over: [byte].span)
            #expect(taken == 1)
            if boundary.isAtBoundary { found.append(index + 1) }
        }
        #expect(found == ends(of: Self.stream))
        #expect(boundary.hasClosed && !boundary.isLost)
    }

    @Test func `stopping at boundaries finds each of them, however the bytes are cut`() {
        let frames = Array(Self.stream.prefix(11)) + [Self.frame(8, 0)]
        let bytes = frames.flatMap { $0 }
        for cut in 0...bytes.count {
            var boundary = WebSocketBoundary()
            var found: [Int] = []
            for part in [0..<cut, cut..<bytes.count] {
                var index = part.lowerBound
                while index < part.upperBound {
                    // One byte leaves the boundary it stands at.
                    if boundary.isAtBoundary { index += boundary.advance(over: [bytes[index]].span) }
                    index += boundary.advance(over: Array(bytes[index..<part.upperBound]).span, stopsAtBoundary: true)
                    if boundary.isAtBoundary, found.last != index { found.append(index) }
                }
            }
            #expect(found == ends(of: frames), "cut at \(cut)")
        }
    }

    @Test func `at a boundary nothing is taken when asked to stop there`() {
        var boundary = WebSocketBoundary()
        #expect(boundary.isAtBoundary)
        let none = boundary.advance(over: Self.frame(1, 5).span, stopsAtBoundary: true)
        let some = boundary.advance(over: Array(Self.frame(1, 5).prefix(3)).span)
        #expect(none == 0 && some == 3 && !boundary.isAtBoundary)
        let rest = Array(Self.frame(1, 5).dropFirst(3)) + Self.frame(1, 1)
        let toTheEnd = boundary.advance(over: rest.span, stopsAtBoundary: true)
        #expect(toTheEnd == 4)
        #expect(boundary.isAtBoundary)
    }

    @Test func `a close frame is known only when it is whole`() {
        var boundary = WebSocketBoundary()
        let close = Self.frame(8, 20, masked: true)
        _ = boundary.advance(over: Array(close.dropLast()).span)
        #expect(!boundary.hasClosed && !boundary.isAtBoundary)
        _ = boundary.advance(over: [0].span)
        #expect(boundary.hasClosed && boundary.isAtBoundary)
    }

    @Test(arguments: [
        ([0x82, 0x7F, 0x80, 0, 0, 0, 0, 0, 0, 0], "a length with its highest bit"),
        ([0x88, 0x7E, 0, 5], "a control frame of more than 125 bytes"),
        ([0x89, 0xFF], "a ping of 64 bits of length"),
    ] as [([UInt8], String)])
    func `what no frame begins with leaves no boundary`(bytes: [UInt8], _: String) {
        var boundary = WebSocketBoundary()
        let taken = boundary.advance(over: bytes.span)
        #expect(taken == bytes.count && boundary.isLost && !boundary.isAtBoundary)
        let after = boundary.advance(over: Self.frame(8, 0).span, stopsAtBoundary: true)
        #expect(after == 2 && !boundary.hasClosed)
    }

    @Test func `the longest length there is ends nowhere soon`() {
        var boundary = WebSocketBoundary()
        _ = boundary.advance(over: [0x82, 0x7F, 0x7F, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF].span)
        #expect(!boundary.isLost && !boundary.isAtBoundary)
        let bytes = [UInt8](repeating: 0x88, count: 100_000)
        let taken = boundary.advance(over: bytes.span, stopsAtBoundary: true)
        #expect(taken == bytes.count)
    }
}
