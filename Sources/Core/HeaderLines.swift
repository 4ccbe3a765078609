/// Field lines the gateway adds to a message, in wire form. One value is reused for message after message.
///
/// No value can smuggle in a second line: every control byte of a value other than HTAB (so CR, LF and NUL too, and
/// DEL) is replaced by a space, and whitespace around the value is left out (RFC 9110 §5.5). Names come from the
/// program or from the configuration, where they are checked to be tokens.
@usableFromInline
package struct HeaderLines: ~Copyable, Sendable {
    /// `Name: value` CR LF, line after line.
    package private(set) var bytes = ByteBuffer()
    /// For values that are written rather than at hand.
    private var scratch: [UInt8] = []

    package init() {}

    package var isEmpty: Bool { bytes.isEmpty }

    /// Empties the lines but keeps their storage.
    package mutating func removeAll() { bytes.removeAll() }

    /// Adds a line in one step: the way for values that are at hand.
    package mutating func append(name: Span<UInt8>, value: Span<UInt8>) {
        bytes.append(contentsOf: name)
        append(restWith: value)
    }

    @inline(__always)
    package mutating func append(name: StaticString, value: Span<UInt8>) {
        bytes.append(name)
        append(restWith: value)
    }

    /// Adds what follows a name.
    private mutating func append(restWith value: Span<UInt8>) {
        var (lower, upper) = (0, value.count)
        while lower < upper, value[lower] <= 0x20 || value[lower] == 0x7F { lower &+= 1 }
        while upper > lower, value[upper &- 1] <= 0x20 || value[upper &- 1] == 0x7F { upper &-= 1 }
        let kept = value.extracting(lower..<upper)
        bytes.append(": ")
        if kept.holdsControl {
            for index in kept.indices { bytes.append(kept[index].isForbiddenInValue ? 0x20 : kept[index]) }
        } else {
            bytes.append(contentsOf: kept)
        }
        bytes.append("\r\n")
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

    /// Adds a line whose value is a number.
    @inline(__always)
    package mutating func append(name: StaticString, decimal value: Int) {
        bytes.append(name)
        bytes.append(": ")
        bytes.append(decimal: value)
        bytes.append("\r\n")
    }

    /// Adds a line whose value `write` appends to the array it is given.
    package mutating func append(name: Span<UInt8>, write: (inout [UInt8]) -> Void) {
        var value: [UInt8] = []
        swap(&value, &scratch)
        value.removeAll(keepingCapacity: true)
        write(&value)
        append(name: name, value: value.span)
        swap(&value, &scratch)
    }

    /// Adds a line whose value `write` appends to the array it is given.
    package mutating func append(name: StaticString, write: (inout [UInt8]) -> Void) {
        name.withUTF8Buffer { buffer in
            // SAFETY: a static string's bytes live as long as the program.
            append(name: unsafe Span(_unsafeElements: buffer), write: write)
        }
    }

    /// Adds lines written by another value of this type.
    package mutating func append(contentsOf lines: borrowing HeaderLines) { bytes.append(contentsOf: lines.bytes) }

    /// Adds lines in wire form that were read from `wireForm` of another value of this type.
    package mutating func append(wireForm: Span<UInt8>) { bytes.append(contentsOf: wireForm) }

    /// The lines in wire form, to be remembered and added again.
    package var wireForm: [UInt8] { bytes.array }

    /// Calls `body` with each line's name and value, in order.
    package func forEach(_ body: (_ name: Span<UInt8>, _ value: Span<UInt8>) -> Void) {
        bytes.withSpan { lines in
            var start = 0
            while let colon = lines.firstIndex(of: 0x3A, from: start) {
                let end = lines.firstIndex(of: 0x0D, from: colon) ?? lines.count
                body(lines.extracting(start..<colon), lines.extracting(min(colon &+ 2, end)..<end))
                start = min(end &+ 2, lines.count)
            }
        }
    }
}

extension Span where Element == UInt8 {
    /// True when one of the bytes is below 0x20 or is DEL.
    @inline(__always)
    fileprivate var holdsControl: Bool {
        // What a word of fewer than eight bytes is filled up with are controls too, all behind the bytes.
        guard count >= 8 else { return lastWord(from: 0).controls.trailingZeroBitCount &>> 3 < count }
        var found: UInt64 = 0
        var index = 0
        while index &+ 8 < count {
            found |= word(at: index).controls
            index &+= 8
        }
        return found | word(at: count &- 8).controls != 0
    }
}

extension UInt8 {
    /// A control other than HTAB.
    fileprivate var isForbiddenInValue: Bool { self < 0x20 && self != 0x09 || self == 0x7F }
}
