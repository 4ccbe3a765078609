import Core

/// The pairs of a Cookie field (RFC 6265 §4.2.1).
enum CookiePairs {
    /// The range of the value of the cookie at `pair`, if it is named `name`; quotation marks around it are left out.
    static func value(of pair: Range<Int>, in field: Span<UInt8>, ifNamed name: Span<UInt8>) -> Range<Int>? {
        let equals = field.extracting(pair).firstIndex(of: 0x3D) ?? pair.count
        let ownName = field.trimmed(pair.lowerBound..<pair.lowerBound &+ equals)
        guard field.extracting(ownName).equals(name) else { return nil }
        guard equals < pair.count else { return pair.upperBound..<pair.upperBound }
        let value = field.trimmed(pair.lowerBound &+ equals &+ 1..<pair.upperBound)
        guard value.count >= 2, field[value.lowerBound] == 0x22, field[value.upperBound &- 1] == 0x22 else {
            return value
        }
        return value.lowerBound &+ 1..<value.upperBound &- 1
    }

    /// True when one of the cookies has one of these names.
    private static func contain(_ names: [[UInt8]], _ field: Span<UInt8>) -> Bool {
        var isFound = false
        forEach(in: field) { pair in
            if names.contains(where: { value(of: pair, in: field, ifNamed: $0.span) != nil }) { isFound = true }
        }
        return isFound
    }

    /// The field value without the cookies of these names; nil when it has none of them.
    static func rest(of field: Span<UInt8>, without names: [[UInt8]]) -> [UInt8]? {
        guard contain(names, field) else { return nil }
        var output: [UInt8] = []
        var isFirst = true
        forEach(in: field) { pair in
            if pair.isEmpty || names.contains(where: { value(of: pair, in: field, ifNamed: $0.span) != nil }) { return }
            if !isFirst { output.append("; ") }
            isFirst = false
            output.append(contentsOf: field.extracting(pair))
        }
        return output
    }

    private static func forEach(in field: Span<UInt8>, _ body: (Range<Int>) -> Void) {
        var start = 0
        while start < field.count {
            let end = field.firstIndex(of: 0x3B, from: start) ?? field.count
            body(field.trimmed(start..<end))
            start = end &+ 1
        }
    }
}
