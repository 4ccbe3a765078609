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

    /// The field value without the cookies that some parser could read by these names; nil when it has none of them.
    /// "," separates cookies too for parsers of RFC 2965; where that makes a difference, the whole pair is left out.
    static func rest(of field: Span<UInt8>, without names: [ParameterName]) -> [UInt8]? {
        var output: [UInt8] = []
        var isFirst = true
        var isFound = false
        forEach(in: field) { pair in
            if names.contains(where: { isReadable($0, in: pair, of: field) }) {
                isFound = true
                return
            }
            if pair.isEmpty { return }
            if !isFirst { output.append("; ") }
            isFirst = false
            output.append(contentsOf: field.extracting(pair))
        }
        return isFound ? output : nil
    }

    private static func isReadable(_ name: ParameterName, in pair: Range<Int>, of field: Span<UInt8>) -> Bool {
        var start = pair.lowerBound
        while start < pair.upperBound {
            var end = start
            var equals: Int?
            while end < pair.upperBound, field[end] != 0x2C {
                if equals == nil, field[end] == 0x3D { equals = end }
                end &+= 1
            }
            if name.isReadable(inEscaped: field.extracting(start..<(equals ?? end))) { return true }
            start = end &+ 1
        }
        return false
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
