/// A set of ASCII bytes as two masks; a byte above 0x7F is in none. Computed rather than stored, so that the masks are
/// immediate operands and no lazy initialiser runs.
@frozen @usableFromInline
package struct ByteClass: Sendable {
    @usableFromInline let low: UInt64
    @usableFromInline let high: UInt64

    @inlinable init(low: UInt64, high: UInt64) {
        self.low = low
        self.high = high
    }

    /// tchar of RFC 9110 §5.6.2: ``!#$%&'*+-.^_`|~``, digits and letters.
    @inlinable @inline(__always)
    package static var token: ByteClass { ByteClass(low: 0x03FF_6CFA_0000_0000, high: 0x57FF_FFFF_C7FF_FFFE) }

    /// Path bytes of RFC 3986 §3.3: pchar, `/`, and `%`, whose two digits are checked apart.
    @inlinable @inline(__always)
    package static var path: ByteClass { ByteClass(low: 0x2FFF_FFF2_0000_0000, high: 0x47FF_FFFE_87FF_FFFF) }

    @inlinable @inline(__always)
    package func contains(_ byte: UInt8) -> Bool {
        let mask = byte & 0x40 == 0 ? low : high
        return byte < 0x80 && mask &>> UInt64(byte & 0x3F) & 1 != 0
    }
}

extension Span where Element == UInt8 {
    /// The first index from `start` on whose byte is not a member; `count` when there is none.
    ///
    /// `strangers` judges eight bytes at a time: it sets the top bit of each byte that is no member, and may set it of
    /// members, which `isMember` then tells apart. NUL is never a member.
    @inlinable @inline(__always)
    package func firstIndex(
        from start: Int, strangers: (UInt64) -> UInt64, isMember: (UInt8) -> Bool
    ) -> Int {
        var index = start
        while true {
            let marks = strangers(filledWord(at: index))
            guard marks != 0 else {
                index &+= 8
                continue
            }
            index &+= marks.trailingZeroBitCount &>> 3
            // A word that reaches beyond the end holds NUL there.
            guard index < count else { return count }
            guard isMember(self[index]) else { return index }
            index &+= 1
        }
    }

    /// The first index from `start` on whose byte is no tchar; `count` when there is none.
    @inlinable @inline(__always)
    package func firstIndexOutsideToken(from start: Int) -> Int {
        firstIndex(from: start, strangers: { $0.outsideNames }, isMember: { ByteClass.token.contains($0) })
    }

    /// The first index from `start` on whose byte no field value holds (RFC 9110 §5.5: a control other than HTAB);
    /// `count` when there is none.
    @inlinable @inline(__always)
    package func firstIndexOutsideFieldValue(from start: Int) -> Int {
        firstIndex(from: start, strangers: { $0.controls }, isMember: { $0 == 0x09 })
    }

    /// The first index from `start` on whose byte no target holds: a control, SP, `#`, DEL or a byte above 0x7F;
    /// `count` when there is none.
    @inlinable @inline(__always)
    package func firstIndexOutsideTarget(from start: Int) -> Int {
        firstIndex(from: start, strangers: { $0.outsideTargets }, isMember: { _ in false })
    }

    /// The first index from `start` on whose byte is `%` or one that no path holds; `count` when there is none.
    @inlinable @inline(__always)
    func firstIndexOutsidePlainPath(from start: Int) -> Int {
        firstIndex(from: start, strangers: { $0.outsidePaths }, isMember: { $0 != 0x25 && ByteClass.path.contains($0) })
    }

    /// Every byte is a tchar and there is at least one.
    @inlinable package var isToken: Bool { !isEmpty && firstIndexOutsideToken(from: 0) == count }
}

extension UInt8 {
    /// SP, HTAB, VCHAR or obs-text.
    @inlinable @inline(__always)
    package var isFieldValueByte: Bool { self >= 0x20 && self != 0x7F || self == 0x09 }
}
