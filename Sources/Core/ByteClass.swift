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
    /// The first index from `start` on whose byte is not in `set`; `count` when there is none.
    @inlinable @inline(__always)
    package func firstIndex(outside set: ByteClass, from start: Int) -> Int {
        var index = start
        while index < count, set.contains(self[index]) { index &+= 1 }
        return index
    }

    /// The first index from `start` on whose byte no field value holds (RFC 9110 §5.5: a control other than HTAB);
    /// `count` when there is none. Eight bytes at a time, since values are most of a head.
    @inlinable @inline(__always)
    package func firstIndexOutsideFieldValue(from start: Int) -> Int {
        var index = start
        while index &+ 8 <= count {
            if fieldValueWord(at: index).mayHoldControl {
                let stop = index &+ 8
                while index < stop, self[index].isFieldValueByte { index &+= 1 }
                if index < stop { return index }
            } else {
                index &+= 8
            }
        }
        while index < count, self[index].isFieldValueByte { index &+= 1 }
        return index
    }

    /// Eight bytes from `index` on, which must be there, in the machine's order.
    @inlinable @inline(__always)
    func fieldValueWord(at index: Int) -> UInt64 {
        // The load checks its bounds; it is called unsafe for types of which not every pattern of bits is a value.
        unsafe bytes.unsafeLoadUnaligned(fromByteOffset: index, as: UInt64.self)
    }

    /// Every byte is a tchar and there is at least one.
    @inlinable package var isToken: Bool { !isEmpty && firstIndex(outside: .token, from: 0) == count }
}

extension UInt8 {
    /// SP, HTAB, VCHAR or obs-text.
    @inlinable @inline(__always)
    package var isFieldValueByte: Bool { self >= 0x20 && self != 0x7F || self == 0x09 }
}

extension UInt64 {
    /// One of these eight bytes is below 0x20 or is DEL.
    @inlinable @inline(__always)
    var mayHoldControl: Bool {
        let ones: UInt64 = 0x0101_0101_0101_0101
        // In `x - n & ~x` the top bit of a byte is set where the byte is below that of n: of the lowest such byte at
        // least, and of none when there is no such byte.
        let low = (self &- 0x2020_2020_2020_2020) & ~self
        let distance = self ^ 0x7F7F_7F7F_7F7F_7F7F
        let deleted = (distance &- ones) & ~distance
        return (low | deleted) & 0x8080_8080_8080_8080 != 0
    }
}
