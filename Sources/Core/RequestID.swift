/// The name of one request, the same in answers, logs and upstream requests: `rq_` and 22 base62 characters.
package struct RequestID: Hashable, Sendable {
    package let high: UInt64
    package let low: UInt64

    /// The bytes of every identifier the gateway makes.
    package static let byteCount = 25

    /// The longest identifier taken over from a client.
    private static let acceptableBytes = 128

    package init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// Appends the 25 bytes; different identifiers have different texts.
    package func append(to output: inout [UInt8]) { withText { output.append(contentsOf: $0) } }

    /// Appends the 25 bytes; different identifiers have different texts.
    package func append(to output: inout ByteBuffer) { withText { output.append(contentsOf: $0) } }

    @inline(__always)
    private func withText(_ body: (Span<UInt8>) -> Void) {
        let (first, second) = (Base62Digits(fractionOf: high), Base62Digits(fractionOf: low))
        var words = InlineArray<4, UInt64>(repeating: 0)
        words[0] = (Self.prefix | first.low &<< 24).littleEndian
        words[1] = (first.low &>> 40 | first.high &<< 24 | second.low &<< 48).littleEndian
        words[2] = (second.low &>> 16 | second.high &<< 48).littleEndian
        words[3] = (second.high &>> 16).littleEndian
        // Words have no padding, and any byte is one.
        let text = unsafe Span<UInt8>(_bytes: words.span.bytes)
        body(text.extracting(0..<Self.byteCount))
    }

    /// `rq_`, the first byte lowest.
    private static var prefix: UInt64 { 0x5F_71_72 }

    /// True for what may be taken over as an identifier: 1 to 128 of letters, digits, `.`, `_`, `-`.
    package static func isAcceptable(_ bytes: Span<UInt8>) -> Bool {
        guard 1...acceptableBytes ~= bytes.count else { return false }
        return bytes.firstIndex(from: 0, strangers: { $0.outsideNames }, isMember: { $0.isAcceptable }) == bytes.count
    }
}

extension UInt8 {
    /// Letters, digits, `.`, `_`, `-`.
    fileprivate var isAcceptable: Bool {
        (self | 0x20) &- 0x61 < 26 || isDigit || self == 0x2E || self == 0x5F || self == 0x2D
    }
}

/// The first eleven base62 digits of a fraction, first digit lowest. 62^11 is more than 2^64, so two words never have all
/// eleven in common.
private struct Base62Digits {
    /// The first eight digits.
    let low: UInt64
    /// The last three.
    let high: UInt64

    /// The digits of `word` / 2^64, which cost multiplications where digits from the other end would cost divisions.
    @inline(__always)
    init(fractionOf word: UInt64) {
        var fraction = word
        low = Self.text(Self.values(8, of: &fraction))
        // The bytes beyond three are cut off again.
        high = Self.text(Self.values(3, of: &fraction)) & 0xFF_FFFF
    }

    /// Moves the next `count` digits of the fraction before its point and out, one a byte.
    @inline(__always)
    private static func values(_ count: UInt64, of fraction: inout UInt64) -> UInt64 {
        var values: UInt64 = 0
        for index in 0..<count {
            let product = fraction.multipliedFullWidth(by: 62)
            values |= product.high &<< (index &* 8)
            fraction = product.low
        }
        return values
    }

    /// Eight values below 62 as the digits 0-9, A-Z, a-z. Sums instead of branches, which no processor could foresee.
    @inline(__always)
    private static func text(_ values: UInt64) -> UInt64 {
        let capitals = (values.reaching(10) & UInt64.topBits) &>> 7
        let small = (values.reaching(36) & UInt64.topBits) &>> 7
        return values &+ UInt64(each: 0x30) &+ capitals &* 7 &+ small &* 6
    }
}
