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
    package mutating func append<Number: FixedWidthInteger>(decimal number: Number) {
        if number < 10 && number >= 0 {
            append(0x30 &+ UInt8(truncatingIfNeeded: number))
            return
        }
        var digits = InlineArray<20, UInt8>(repeating: 0)
        var index = 20
        var rest = number.magnitude
        repeat {
            index &-= 1
            let (quotient, remainder) = rest.quotientAndRemainder(dividingBy: 10)
            digits[index] = 0x30 &+ UInt8(truncatingIfNeeded: remainder)
            rest = quotient
        } while rest != 0
        if number < 0 { append(0x2D) }
        append(contentsOf: digits.span.extracting(index..<20))
    }
}

extension Array: ByteSink where Element == UInt8 {
    /// Appends a run of bytes in one copy.
    @inlinable
    package mutating func append(contentsOf bytes: Span<UInt8>) {
        unsafe bytes.withUnsafeBufferPointer { unsafe self.append(contentsOf: $0) }
    }
}
