/// Follows a run of bytes and tells whether it is UTF-8 (RFC 3629 §4): no overlong forms, no surrogates, nothing above
/// U+10FFFF.
struct UTF8Checker {
    /// Continuation bytes that must still come.
    private var missing = 0
    private var allowed: ClosedRange<UInt8> = 0x80...0xBF

    /// The bytes so far end with a whole character.
    var isComplete: Bool { missing == 0 }

    /// Takes the next byte; false when no UTF-8 text goes on with it.
    mutating func accepts(_ byte: UInt8) -> Bool {
        if missing > 0 {
            guard allowed.contains(byte) else { return false }
            missing &-= 1
            allowed = 0x80...0xBF
            return true
        }
        allowed = 0x80...0xBF
        switch byte {
        case 0x00...0x7F: return true
        case 0xC2...0xDF: missing = 1
        case 0xE0...0xEF:
            missing = 2
            if byte == 0xE0 { allowed = 0xA0...0xBF }
            if byte == 0xED { allowed = 0x80...0x9F }
        case 0xF0...0xF4:
            missing = 3
            if byte == 0xF0 { allowed = 0x90...0xBF }
            if byte == 0xF4 { allowed = 0x80...0x8F }
        default: return false
        }
        return true
    }
}
