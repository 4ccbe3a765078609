/// Field lines the gateway adds to a message, in wire form. One value is reused for message after message.
///
/// No value can smuggle in a second line: every control byte of a value other than HTAB (so CR, LF and NUL too, and
/// DEL) is replaced by a space, and whitespace around the value is left out (RFC 9110 §5.5). Names come from the
/// program or from the configuration, where they are checked to be tokens.
package struct HeaderLines: Sendable {
    /// `Name: value` CR LF, line after line.
    package private(set) var bytes: [UInt8] = []
    /// Where each line's name and value lie in `bytes`.
    package private(set) var fields: [(name: ByteRange, value: ByteRange)] = []

    package init() {}

    package var isEmpty: Bool { fields.isEmpty }

    /// Empties the lines but keeps their storage.
    package mutating func removeAll() {
        bytes.removeAll(keepingCapacity: true)
        fields.removeAll(keepingCapacity: true)
    }

    /// Adds a line in one step: the way for values that are at hand.
    package mutating func append(name: Span<UInt8>, value: Span<UInt8>) {
        let start = bytes.count
        var (lower, upper) = (0, value.count)
        while lower < upper, value[lower].isOptionalWhitespace || value[lower].isForbiddenInValue { lower &+= 1 }
        while upper > lower, value[upper &- 1].isOptionalWhitespace || value[upper &- 1].isForbiddenInValue { upper &-= 1 }
        let trimmed = value.extracting(lower..<upper)
        bytes.append(addingCapacity: name.count &+ trimmed.count &+ 4) { out in
            out.append(copying: name)
            out.append(0x3A)
            out.append(0x20)
            out.append(cleaning: trimmed)
            out.append(0x0D)
            out.append(0x0A)
        }
        note(start, name.count, trimmed.count)
    }

    package mutating func append(name: StaticString, value: Span<UInt8>) {
        name.withUTF8Buffer { buffer in
            // SAFETY: a static string's bytes live as long as the program.
            append(name: unsafe Span(_unsafeElements: buffer), value: value)
        }
    }

    package mutating func append(name: StaticString, value: StaticString) {
        value.withUTF8Buffer { buffer in
            // SAFETY: a static string's bytes live as long as the program.
            append(name: name, value: unsafe Span(_unsafeElements: buffer))
        }
    }

    package mutating func append(name: [UInt8], value: [UInt8]) {
        append(name: name.span, value: value.span)
    }

    /// Adds a line whose value `write` appends to the array it is given; `write` leaves the bytes before alone.
    package mutating func append(name: Span<UInt8>, write: (inout [UInt8]) -> Void) {
        let start = bytes.count
        bytes.append(addingCapacity: name.count &+ 2) { out in
            out.append(copying: name)
            out.append(0x3A)
            out.append(0x20)
        }
        finishLine(start, name.count, write)
    }

    /// Adds a line whose value `write` appends to the array it is given; `write` leaves the bytes before alone.
    package mutating func append(name: StaticString, write: (inout [UInt8]) -> Void) {
        name.withUTF8Buffer { buffer in
            // SAFETY: a static string's bytes live as long as the program.
            append(name: unsafe Span(_unsafeElements: buffer), write: write)
        }
    }

    private mutating func finishLine(_ start: Int, _ nameCount: Int, _ write: (inout [UInt8]) -> Void) {
        let valueStart = bytes.count
        write(&bytes)
        for index in valueStart..<bytes.count where bytes[index].isForbiddenInValue { bytes[index] = 0x20 }
        while bytes.count > valueStart, let last = bytes.last, last.isOptionalWhitespace { bytes.removeLast() }
        let value = bytes.span.trimmed(valueStart..<bytes.count)
        fields.append(
            (ByteRange(start: start, count: nameCount), ByteRange(value)))
        bytes.append(0x0D)
        bytes.append(0x0A)
    }

    private mutating func note(_ start: Int, _ nameCount: Int, _ valueCount: Int) {
        fields.append(
            (
                ByteRange(start: start, count: nameCount),
                ByteRange(start: start &+ nameCount &+ 2, count: valueCount)
            ))
    }
}

extension UInt8 {
    /// A control other than HTAB.
    fileprivate var isForbiddenInValue: Bool { self < 0x20 && self != 0x09 || self == 0x7F }
}

extension OutputSpan where Element == UInt8 {
    fileprivate mutating func append(copying source: Span<UInt8>) {
        for index in source.indices { append(source[index]) }
    }

    /// Appends with a space in place of each control.
    fileprivate mutating func append(cleaning source: Span<UInt8>) {
        for index in source.indices {
            let byte = source[index]
            append(byte.isForbiddenInValue ? 0x20 : byte)
        }
    }
}
