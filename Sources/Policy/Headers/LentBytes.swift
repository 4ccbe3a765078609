import Core

/// Bytes of a class that others look at: a class cannot lend out a span of an array of its own without a copy of the
/// reference, but what such a value does happens in its own methods.
struct LentBytes: Sendable {
    let bytes: [UInt8]

    var count: Int { bytes.count }

    @inline(__always)
    func equal(_ other: Span<UInt8>) -> Bool { bytes.span.equals(other) }

    /// Whether `value` begins with these bytes.
    @inline(__always)
    func begin(_ value: Span<UInt8>) -> Bool { bytes.isEmpty || value.hasPrefix(bytes.span) }

    /// Adds lines in wire form.
    @inline(__always)
    func append(to lines: inout HeaderLines) { lines.append(wireForm: bytes.span) }
}
