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

    package mutating func append(name: Span<UInt8>, value: Span<UInt8>) {
        append(name: name) { $0.append(contentsOf: value) }
    }

    package mutating func append(name: StaticString, value: Span<UInt8>) {
        append(name: name) { $0.append(contentsOf: value) }
    }

    package mutating func append(name: StaticString, value: StaticString) {
        append(name: name) { $0.append(value) }
    }

    package mutating func append(name: [UInt8], value: [UInt8]) {
        append(name: name.span, value: value.span)
    }

    /// Adds a line whose value `write` appends to the array it is given; `write` leaves the bytes before alone.
    package mutating func append(name: Span<UInt8>, write: (inout [UInt8]) -> Void) {
        let start = bytes.count
        bytes.append(contentsOf: name)
        finishLine(nameAt: start, write)
    }

    /// Adds a line whose value `write` appends to the array it is given; `write` leaves the bytes before alone.
    package mutating func append(name: StaticString, write: (inout [UInt8]) -> Void) {
        let start = bytes.count
        bytes.append(name)
        finishLine(nameAt: start, write)
    }

    private mutating func finishLine(nameAt start: Int, _ write: (inout [UInt8]) -> Void) {
        let name = start..<bytes.count
        bytes.append(": ")
        let valueStart = bytes.count
        write(&bytes)
        for index in valueStart..<bytes.count {
            let byte = bytes[index]
            if byte < 0x20 && byte != 0x09 || byte == 0x7F { bytes[index] = 0x20 }
        }
        while bytes.count > valueStart, let last = bytes.last, last.isOptionalWhitespace { bytes.removeLast() }
        fields.append((ByteRange(name), ByteRange(bytes.span.trimmed(valueStart..<bytes.count))))
        bytes.append("\r\n")
    }
}
