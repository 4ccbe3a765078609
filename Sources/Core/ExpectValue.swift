/// What the value of an Expect field asks for (RFC 9110 §10.1.1).
package enum ExpectValue: Equatable, Sendable {
    /// The list is empty: some clients send the field without a value in place of leaving it out.
    case nothing
    /// `100-continue`, once, in any case, and where it is in the value.
    case `continue`(Range<Int>)
    case unknown

    /// Empty elements of the list are ignored (RFC 9110 §5.6.1.2).
    package init(_ value: Span<UInt8>) {
        var found = ExpectValue.nothing
        var start = 0
        while start < value.count {
            let end = value.firstIndex(of: 0x2C, from: start) ?? value.count
            let element = value.trimmed(start..<end)
            start = end &+ 1
            if element.isEmpty { continue }
            guard found == .nothing, value.extracting(element).equalsIgnoringCase("100-continue") else {
                self = .unknown
                return
            }
            found = .continue(element)
        }
        self = found
    }
}
