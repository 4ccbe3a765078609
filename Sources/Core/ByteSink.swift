/// What text on its way to a peer, a log or a file is appended to.
package protocol ByteSink: ~Copyable {
    mutating func append(_ byte: UInt8)
    mutating func append(contentsOf bytes: Span<UInt8>)
}

extension ByteSink where Self: ~Copyable {
    /// Appends an ASCII literal.
    @inlinable
    package mutating func append(_ literal: StaticString) {
        literal.withUTF8Buffer { buffer in
            // SAFETY: a static string's bytes live as long as the program.
            append(contentsOf: unsafe Span(_unsafeElements: buffer))
        }
    }

    /// Appends a number in decimal digits.
    @inlinable
    @inline(__always)
    package mutating func append(decimal number: some FixedWidthInteger) {
        if number < 0 { append(0x2D) }
        let text = DecimalDigits(UInt64(truncatingIfNeeded: number.magnitude))
        append(contentsOf: text.bytes.span.extracting(text.start..<20))
    }
}

/// The decimal digits of a number, at the end of room for the most there can be.
@usableFromInline
struct DecimalDigits {
    @usableFromInline var bytes = InlineArray<20, UInt8>(repeating: 0)
    @usableFromInline var start = 20

    @usableFromInline
    init(_ number: UInt64) {
        var rest = number
        repeat {
            start &-= 1
            let (quotient, remainder) = rest.quotientAndRemainder(dividingBy: 10)
            bytes[start] = 0x30 &+ UInt8(truncatingIfNeeded: remainder)
            rest = quotient
        } while rest != 0
    }
}

extension Array: ByteSink where Element == UInt8 {
    /// Appends a run of bytes in one copy.
    @inlinable
    package mutating func append(contentsOf bytes: Span<UInt8>) {
        unsafe bytes.withUnsafeBufferPointer { unsafe self.append(contentsOf: $0) }
    }
}
