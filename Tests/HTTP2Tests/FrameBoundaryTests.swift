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

    private static func advance(_ boundary: inout FrameBoundary, _ bytes: [UInt8]) -> Bool {
        boundary.advance(over: bytes.span)
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
            let hasEnded = boundary.advance(over: bytes.span.extracting(0..<cut))
            #expect(hasEnded == (cut >= Frames.settings.count))
            _ = boundary.advance(over: bytes.span.extracting(cut..<bytes.count))
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
            _ = boundary.advance(over: frame.span.extracting(0..<count))
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
}
