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
        var (lower, upper) = (0, value.count)
        while lower < upper, value[lower] <= 0x20 || value[lower] == 0x7F { lower &+= 1 }
        while upper > lower, value[upper &- 1] <= 0x20 || value[upper &- 1] == 0x7F { upper &-= 1 }
        let kept = value.extracting(lower..<upper)
        let start = bytes.count
        let valueStart = name.count &+ 2
        let total = valueStart &+ kept.count &+ 2
        bytes.append(addingCapacity: total) { out in
            // SAFETY: the span has room for `total` bytes, and exactly those are written before they are counted.
            unsafe out.withUnsafeMutableBufferPointer { buffer, count in
                guard let base = buffer.baseAddress else { return }
                let line = UnsafeMutableRawPointer(unsafe base + count)
                unsafe name.withUnsafeBytes { unsafe line.copyMemory(from: $0.baseAddress ?? .init(line), byteCount: $0.count) }
                unsafe line.storeBytes(of: 0x3A, toByteOffset: valueStart &- 2, as: UInt8.self)
                unsafe line.storeBytes(of: 0x20, toByteOffset: valueStart &- 1, as: UInt8.self)
                unsafe kept.withUnsafeBytes {
                    unsafe (line + valueStart).copyMemory(from: $0.baseAddress ?? .init(line), byteCount: $0.count)
                }
                unsafe line.storeBytes(of: 0x0D, toByteOffset: total &- 2, as: UInt8.self)
                unsafe line.storeBytes(of: 0x0A, toByteOffset: total &- 1, as: UInt8.self)
                count &+= total
            }
        }
        clean(start &+ valueStart, kept)
        fields.append(
            (ByteRange(start: start, count: name.count), ByteRange(start: start &+ valueStart, count: kept.count)))
    }

    /// Puts spaces in place of the controls of `value`, which stands at `start`. Nearly always there are none.
    private mutating func clean(_ start: Int, _ value: Span<UInt8>) {
        var suspects: UInt8 = 0
        for index in value.indices { suspects |= value[index] < 0x20 || value[index] == 0x7F ? 1 : 0 }
        guard suspects != 0 else { return }
        for index in start..<start &+ value.count where bytes[index].isForbiddenInValue { bytes[index] = 0x20 }
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
        bytes.append(contentsOf: name)
        bytes.append(0x3A)
        bytes.append(0x20)
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
}

extension UInt8 {
    /// A control other than HTAB.
    fileprivate var isForbiddenInValue: Bool { self < 0x20 && self != 0x09 || self == 0x7F }
}
