import Core
import Testing

@testable import HTTP2

/// Frames are followed whole, byte by byte and split at every index.
struct FrameBoundaryTests {
    private static let stream: [[UInt8]] = [
        Frames.preface, Frames.settings, Frames.settings([(4, 1)]), Frames.frame(.ping, stream: 0, Array(0..<8)),
        Frames.content([]), Frames.content([1]), Frames.content([UInt8](repeating: 0xFF, count: 300)),
        Frames.frame(.grease, stream: 7, [UInt8](repeating: 9, count: 70_000)), Frames.reset(1),
    ]

    /// Looks at all of `bytes`; true when a frame ended within them.
    private static func advance(_ boundary: inout FrameBoundary, _ bytes: [UInt8]) -> Bool {
        let before = boundary.endedCount
        _ = headers(&boundary, bytes)
        return boundary.endedCount != before
    }

    private static func headers(_ boundary: inout FrameBoundary, _ bytes: [UInt8]) -> [FrameHeader] {
        var found: [FrameHeader] = []
        var index = 0
        while let header = boundary.next(in: bytes.span, at: &index) { found.append(header) }
        return found
    }

    @Test func `between two frames, and only there, nothing is open`() {
        var boundary = FrameBoundary(behind: Frames.preface.count)
        #expect(boundary.isInside)
        for frame in Self.stream {
            for (index, byte) in frame.enumerated() {
                let isLast = index == frame.count - 1
                #expect(Self.advance(&boundary, [byte]) == isLast)
                #expect(boundary.isInside == !isLast)
            }
        }
    }

    @Test func `a cut at any place changes nothing`() {
        let bytes = Self.stream.dropFirst().prefix(6).flatMap { $0 } + Frames.settings
        for cut in 0...bytes.count {
            var boundary = FrameBoundary()
            let hasEnded = Self.advance(&boundary, Array(bytes[..<cut]))
            #expect(hasEnded == (cut >= Frames.settings.count))
            _ = Self.advance(&boundary, Array(bytes[cut...]))
            #expect(!boundary.isInside)
        }
    }

    @Test(arguments: [
        (Frames.content([1, 2, 3]), true), (Frames.content([1, 2, 3], ends: true), true), (Frames.settings([(4, 1)]), false),
        (Frames.frame(.headers, stream: 1, [0, 0, 0]), false), (Frames.frame(.grease, stream: 1, [0, 0, 0]), false),
    ])
    func `content is content once its header is whole`(frame: [UInt8], isContent: Bool) {
        for count in 1..<frame.count {
            var boundary = FrameBoundary()
            _ = Self.advance(&boundary, Array(frame[..<count]))
            #expect(boundary.isInside && boundary.isInsideContent == (isContent && count >= 9))
        }
    }

    @Test func `the longest frame there can be is followed to its end`() {
        let header: [UInt8] = [0xFF, 0xFF, 0xFF, 0, 0, 0, 0, 0, 1]
        var boundary = FrameBoundary()
        #expect(!Self.advance(&boundary, header))
        let piece = [UInt8](repeating: 0, count: 65_536)
        for _ in 0..<255 { #expect(!Self.advance(&boundary, piece)) }
        #expect(!Self.advance(&boundary, Array(piece.prefix(65_534))) && boundary.isInside)
        #expect(Self.advance(&boundary, [0]) && !boundary.isInside)
    }

    @Test func `headers are read whole, byte by byte and split at every index`() {
        let bytes = Frames.headers(Frames.get, stream: 5) + Frames.frame(.priority, stream: 7, [0x80, 0, 0, 9, 16])
            + Frames.frame(.priority, stream: 7, [1, 2, 3]) + Frames.frame(.ping, flags: 1, stream: 0, Array(0..<8))
        let block = Frames.block(Frames.get).count
        let expected = [
            FrameHeader(length: block, rawKind: 1, flags: 5, stream: 5),
            FrameHeader(length: 5, rawKind: 2, flags: 0, stream: 7, dependency: 9),
            FrameHeader(length: 3, rawKind: 2, flags: 0, stream: 7), FrameHeader(length: 8, rawKind: 6, flags: 1, stream: 0),
        ]
        for cut in 0...bytes.count {
            var boundary = FrameBoundary()
            let found = Self.headers(&boundary, Array(bytes[..<cut])) + Self.headers(&boundary, Array(bytes[cut...]))
            #expect(found == expected && !boundary.isInside)
        }
        var boundary = FrameBoundary()
        #expect(bytes.flatMap { Self.headers(&boundary, [$0]) } == expected)
    }

    @Test func `the reserved bit of a stream's identifier is ignored`() {
        var boundary = FrameBoundary()
        #expect(Self.headers(&boundary, [0, 0, 0, 0, 0, 0xFF, 0xFF, 0xFF, 0xFF]).first?.stream == .max)
    }
}
