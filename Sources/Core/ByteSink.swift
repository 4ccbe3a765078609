/// What text on its way to a peer, a log or a file is appended to.
@usableFromInline
package protocol ByteSink: ~Copyable {
    mutating func append(_ byte: UInt8)
    mutating func append(contentsOf bytes: Span<UInt8>)
    /// Appends a number that is not negative in decimal digits.
    mutating func append(magnitude: UInt64)
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
        append(magnitude: UInt64(truncatingIfNeeded: number.magnitude))
    }

    @usableFromInline
    package mutating func append(magnitude: UInt64) {
        let text = DecimalDigits(magnitude)
        append(contentsOf: text.bytes.span.extracting(text.start..<24))
    }
}

extension Array: ByteSink where Element == UInt8 {
    /// Appends a run of bytes in one copy.
    @inlinable
    package mutating func append(contentsOf bytes: Span<UInt8>) {
        unsafe bytes.withUnsafeBufferPointer { unsafe self.append(contentsOf: $0) }
    }

    /// Holds these bytes and no others, in the storage it has if they fit.
    @inlinable
    package mutating func replaceAll(with bytes: Span<UInt8>) {
        unsafe bytes.withUnsafeBufferPointer { unsafe self.replaceSubrange(0..<count, with: $0) }
    }
}
