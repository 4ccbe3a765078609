import Core

/// Reads the line before a chunk's content, byte by byte: the size and the extensions (RFC 9112 §7.1, §7.1.1).
///
/// Whitespace is taken around `;` and `=` (BWS) but not behind the size or an extension at the line's end, since
/// readers disagree whether that belongs to the size. A lenient upstream may have whitespace behind the size, and end the line in LF
/// alone.
struct ChunkSizeLine {
    private enum Step: UInt8 {
        case size, beforeSemicolon, beforeName, name, afterName, beforeValue, token, quoted, escaped, afterQuoted
    }

    private var step = Step.size
    private var digitCount = 0
    private(set) var size: UInt64 = 0
    private(set) var byteCount = 0
    private let isLenient: Bool
    /// An extension was begun.
    private var hasExtension = false

    init(isLenient: Bool = false) { self.isLenient = isLenient }

    /// Takes the next byte; true when it was the CR that ends the line.
    mutating func take(_ byte: UInt8) throws(FramingFault) -> Bool {
        byteCount &+= 1
        guard byteCount <= FixedBounds.chunkLineBytes else { throw .chunkLineTooLong }
        switch step {
        case .size: return try takeSize(byte)
        case .beforeSemicolon:
            if isLenient, !hasExtension, byte == 0x0D { return true }
            if byte == 0x3B { beginExtension() } else if !byte.isOptionalWhitespace { throw .chunkExtensionInvalid }
        case .beforeName:
            if byte.isOptionalWhitespace { return false }
            try takeTokenStart(byte, then: .name)
        case .name:
            if ByteClass.token.contains(byte) { return false }
            if byte == 0x3D { step = .beforeValue } else { return try takeEnd(byte, orSpace: .afterName) }
        case .afterName:
            switch byte {
            case 0x3D: step = .beforeValue
            case 0x3B: beginExtension()
            default: if !byte.isOptionalWhitespace { throw .chunkExtensionInvalid }
            }
        case .beforeValue:
            if byte.isOptionalWhitespace { return false }
            if byte == 0x22 { step = .quoted } else { try takeTokenStart(byte, then: .token) }
        case .token:
            if ByteClass.token.contains(byte) { return false }
            return try takeEnd(byte, orSpace: .beforeSemicolon)
        case .quoted:
            switch byte {
            case 0x22: step = .afterQuoted
            case 0x5C: step = .escaped
            default: if !byte.isFieldValueByte { throw .chunkExtensionInvalid }
            }
        case .escaped:
            guard byte.isFieldValueByte else { throw .chunkExtensionInvalid }
            step = .quoted
        case .afterQuoted: return try takeEnd(byte, orSpace: .beforeSemicolon)
        }
        return false
    }

    private mutating func takeSize(_ byte: UInt8) throws(FramingFault) -> Bool {
        if let digit = byte.hexDigit {
            digitCount &+= 1
            guard digitCount <= 16 else { throw .chunkSizeInvalid }
            size = size &<< 4 | UInt64(digit)
            return false
        }
        guard digitCount > 0, byte == 0x0D || byte == 0x3B || byte.isOptionalWhitespace else { throw .chunkSizeInvalid }
        return try takeEnd(byte, orSpace: .beforeSemicolon)
    }

    private mutating func beginExtension() {
        step = .beforeName
        hasExtension = true
    }

    private mutating func takeTokenStart(_ byte: UInt8, then next: Step) throws(FramingFault) {
        guard ByteClass.token.contains(byte) else { throw .chunkExtensionInvalid }
        step = next
    }

    /// What may follow the size or a whole extension: the line's end, the next extension, or whitespace before it.
    private mutating func takeEnd(_ byte: UInt8, orSpace next: Step) throws(FramingFault) -> Bool {
        switch byte {
        case 0x0D: return true
        case 0x3B: beginExtension()
        case 0x20, 0x09: step = next
        default: throw .chunkExtensionInvalid
        }
        return false
    }
}
