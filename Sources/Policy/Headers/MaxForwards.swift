import Core

/// What Max-Forwards says (RFC 9110 §7.6.2).
enum MaxForwards: Equatable {
    case absent
    case exhausted
    /// More hops, at most the largest number that is worth counting.
    case hops(Int)
    case invalid

    init(_ head: RequestHead) {
        var result = MaxForwards.absent
        for field in head.fields where field.known == .maxForwards {
            guard result == .absent else {
                self = .invalid
                return
            }
            result = Self.value(head.bytes.span.extracting(field.value.range))
        }
        self = result
    }

    private static func value(_ digits: Span<UInt8>) -> MaxForwards {
        guard 1...9 ~= digits.count else { return .invalid }
        var number = 0
        for index in digits.indices {
            guard digits[index].isDigit else { return .invalid }
            number = number &* 10 &+ Int(digits[index] &- 0x30)
        }
        return number == 0 ? .exhausted : .hops(number)
    }
}
