import Core

/// Reads a field section (RFC 9112 §5) line by line and can stop and go on at any byte. Shared by request heads,
/// response heads and trailer sections.
///
/// Strict: a line ends in CR LF and nothing else, a name is a token with the colon right behind it, a value holds no
/// control but HTAB, and a line that begins with whitespace (obs-fold) is refused.
struct FieldSectionScanner {
    enum Step: UInt8 { case lineStart, name, leadingSpace, value, lineFeed, finalLineFeed }

    private var step = Step.lineStart
    /// The first byte not yet looked at.
    var position: Int
    private var nameStart = 0
    private var nameEnd = 0
    private var valueStart = 0
    private var valueEnd = 0

    init(at position: Int) { self.position = position }

    /// The next event. `bytes` begins where it began the last time and may have grown; ranges count from `origin`.
    @inline(__always)
    mutating func next(_ bytes: Span<UInt8>, origin: Int) -> FieldSectionEvent {
        guard step == .lineStart else { return nextByStep(bytes, origin: origin) }
        if position &+ 1 < bytes.count, bytes[position] == 0x0D, bytes[position &+ 1] == 0x0A {
            position &+= 2
            return .end
        }
        guard let line = wholeLine(bytes, origin: origin) else { return nextByStep(bytes, origin: origin) }
        return .line(line)
    }

    /// The next event of a line that may be cut anywhere or wrong.
    @inline(never)
    private mutating func nextByStep(_ bytes: Span<UInt8>, origin: Int) -> FieldSectionEvent {
        while position < bytes.count {
            switch step {
            case .lineStart:
                let byte = bytes[position]
                if byte == 0x0D {
                    step = .finalLineFeed
                    position &+= 1
                    continue
                }
                guard ByteClass.token.contains(byte) else { return .malformed(FieldFault(firstByte: byte)) }
                nameStart = position
                step = .name
            case .name:
                position = bytes.firstIndexOutsideToken(from: position)
                guard position < bytes.count else { return .incomplete }
                guard bytes[position] == 0x3A else { return .malformed(FieldFault(afterName: bytes[position])) }
                nameEnd = position
                position &+= 1
                step = .leadingSpace
            case .leadingSpace:
                while position < bytes.count, bytes[position].isOptionalWhitespace { position &+= 1 }
                guard position < bytes.count else { return .incomplete }
                valueStart = position
                step = .value
            case .value:
                position = bytes.firstIndexOutsideFieldValue(from: position)
                guard position < bytes.count else { return .incomplete }
                guard bytes[position] == 0x0D else {
                    return .malformed(bytes[position] == 0x0A ? .lineEndingInvalid : .valueInvalid)
                }
                valueEnd = position
                while valueEnd > valueStart, bytes[valueEnd &- 1].isOptionalWhitespace { valueEnd &-= 1 }
                position &+= 1
                step = .lineFeed
            case .lineFeed:
                guard bytes[position] == 0x0A else { return .malformed(.lineEndingInvalid) }
                position &+= 1
                step = .lineStart
                return .line(line(bytes, origin: origin))
            case .finalLineFeed:
                guard bytes[position] == 0x0A else { return .malformed(.lineEndingInvalid) }
                position &+= 1
                return .end
            }
        }
        return .incomplete
    }

    /// The line at `position` when it is all there and right, which is how most lines come: without a note of where to
    /// go on at each step. Nil leaves everything as it is, for the steps above to find out what is missing or wrong.
    @inline(__always)
    private mutating func wholeLine(_ bytes: Span<UInt8>, origin: Int) -> FieldLine? {
        let start = position
        guard let colon = bytes.firstIndex(of: 0x3A, from: start) else { return nil }
        let name = bytes.extracting(start..<colon)
        let known = KnownField.named(name)
        guard known != .other || name.isToken else { return nil }
        var lower = colon &+ 1
        while lower < bytes.count, bytes[lower].isOptionalWhitespace { lower &+= 1 }
        let end = bytes.firstIndexOutsideFieldValue(from: lower)
        guard end &+ 1 < bytes.count, bytes[end] == 0x0D, bytes[end &+ 1] == 0x0A else { return nil }
        var upper = end
        while upper > lower, bytes[upper &- 1].isOptionalWhitespace { upper &-= 1 }
        position = end &+ 2
        return FieldLine(
            name: ByteRange(start: start &- origin, count: colon &- start),
            value: ByteRange(start: lower &- origin, count: upper &- lower),
            known: known)
    }

    private func line(_ bytes: Span<UInt8>, origin: Int) -> FieldLine {
        FieldLine(
            name: ByteRange(start: nameStart &- origin, count: nameEnd &- nameStart),
            value: ByteRange(start: valueStart &- origin, count: valueEnd &- valueStart),
            known: .named(bytes.extracting(nameStart..<nameEnd)))
    }
}

/// What a field section yields next.
enum FieldSectionEvent {
    case incomplete
    case line(FieldLine)
    /// The empty line was read; `position` is behind it.
    case end
    case malformed(FieldFault)
}
