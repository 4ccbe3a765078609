package import Core

/// Decodes one chunked body (RFC 9112 §7.1) from pieces cut anywhere. Content comes in ranges of the bytes presented
/// and is never copied; chunk extensions are checked against their grammar and ignored; every line ends in CR LF, or, of a lenient
/// upstream, in LF alone.
package struct ChunkedDecoder: Sendable {
    private enum Step: UInt8 { case sizeLine, sizeLineFeed, content, contentReturn, contentLineFeed, trailers, ended }

    private var step = Step.sizeLine
    private var line: ChunkSizeLine
    private let isLenient: Bool
    /// Bytes of the current chunk's content still to come.
    private var remaining: UInt64 = 0
    /// Bytes of size lines beyond what the content read so far excuses.
    private var overhead = 0
    private var scanner = FieldSectionScanner(at: 0)
    /// The trailer section, whole when `.end` was yielded. Empty for most bodies.
    package private(set) var trailers = TrailerSection()

    /// Where the end of a lenient trailer section was looked for.
    private var sectionPosition = 0

    package init(isLenient: Bool = false) {
        self.isLenient = isLenient
        line = ChunkSizeLine(isLenient: isLenient)
    }

    /// The next piece of the body, from `bytes[index...]`; moves `index` behind what was consumed, which is never
    /// presented again. Nil when all is consumed and more must come, and for ever after `.end`.
    package mutating func next(_ bytes: Span<UInt8>, from index: inout Int) throws(FramingFault) -> ChunkPiece? {
        while index < bytes.count {
            switch step {
            case .sizeLine: try readSizeLine(bytes, from: &index)
            case .sizeLineFeed:
                guard bytes[index] == 0x0A else { throw .chunkExtensionInvalid }
                index &+= 1
                try beginChunk()
            case .content:
                let available = bytes.count &- index
                let taken = remaining < UInt64(available) ? Int(truncatingIfNeeded: remaining) : available
                let range = index..<index &+ taken
                index &+= taken
                remaining &-= UInt64(taken)
                if remaining == 0 { step = .contentReturn }
                return .body(range)
            case .contentReturn:
                if isLenient, bytes[index] == 0x0A {
                    step = .contentLineFeed
                    continue
                }
                guard bytes[index] == 0x0D else { throw .chunkNotTerminated }
                index &+= 1
                step = .contentLineFeed
            case .contentLineFeed:
                guard bytes[index] == 0x0A else { throw .chunkNotTerminated }
                index &+= 1
                step = .sizeLine
            case .trailers:
                guard try readTrailers(bytes, from: &index) else { return nil }
                step = .ended
                return .end
            case .ended: return nil
            }
        }
        return nil
    }

    private mutating func readSizeLine(_ bytes: Span<UInt8>, from index: inout Int) throws(FramingFault) {
        while index < bytes.count {
            let byte = bytes[index]
            index &+= 1
            if isLenient, byte == 0x0A {
                // As if CR had been before it.
                guard try line.take(0x0D) else { throw .chunkExtensionInvalid }
                index &-= 1
                step = .sizeLineFeed
                return
            }
            if try line.take(byte) {
                step = .sizeLineFeed
                return
            }
        }
    }

    private mutating func beginChunk() throws(FramingFault) {
        remaining = line.size
        // A chunk excuses the bytes of a plain size line and twice its content; a body of one-byte chunks with long
        // extensions, which costs its reader far more than its sender, soon runs out.
        let content = Int(truncatingIfNeeded: Swift.min(remaining, UInt64(FixedBounds.chunkOverheadBytes)))
        overhead = Swift.max(0, overhead &+ line.byteCount &- 16 &- 2 &* content)
        guard overhead <= FixedBounds.chunkOverheadBytes else { throw .chunkOverheadTooLarge }
        line = ChunkSizeLine(isLenient: isLenient)
        step = remaining == 0 ? .trailers : .content
    }

    /// True when the section's empty line was read.
    private mutating func readTrailers(_ bytes: Span<UInt8>, from index: inout Int) throws(FramingFault) -> Bool {
        let isUntouched = trailers.bytes.isEmpty && index &+ 1 < bytes.count
        if isUntouched, bytes[index] == 0x0D, bytes[index &+ 1] == 0x0A {
            index &+= 2
            return true
        }
        let taken = Swift.min(FixedBounds.trailerBytes &- trailers.bytes.count, bytes.count &- index)
        trailers.bytes.append(contentsOf: bytes.extracting(index..<index &+ taken))
        index &+= taken
        if isLenient {
            var position = sectionPosition
            let found = LenientSection.end(of: trailers.bytes.span, hasStartLine: false, from: &position)
            sectionPosition = position
            guard let end = found else {
                guard trailers.bytes.count < FixedBounds.trailerBytes else { throw .trailersTooLarge }
                return false
            }
            index &-= trailers.bytes.count &- end
            let received = trailers.bytes
            trailers.bytes.removeAll()
            guard LenientSection.clean(received.span.extracting(0..<end), hasStartLine: false, into: &trailers.bytes) == nil else {
                throw .trailerInvalid
            }
        }
        var reader = scanner
        defer { scanner = reader }
        while true {
            let event = reader.next(trailers.bytes.span, origin: 0)
            switch event {
            case .incomplete:
                guard trailers.bytes.count < FixedBounds.trailerBytes else { throw .trailersTooLarge }
                return false
            case .malformed: throw .trailerInvalid
            case .line(var line):
                line.isDropped = line.isForbiddenInTrailers(in: trailers.bytes.span)
                trailers.fields.append(line)
            case .end:
                let surplus = trailers.bytes.count &- reader.position
                index &-= surplus
                if trailers.fields.isEmpty {
                    trailers.bytes.removeAll()
                } else {
                    trailers.bytes.removeLast(surplus)
                }
                return true
            }
        }
    }
}
