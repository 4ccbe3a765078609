import Core

/// The parameters of a query string, "&" between them.
enum QueryParameters {
    /// The range of the raw value of the parameter at `pair`, if its decoded name is `name`; without "=" it is empty.
    static func value(of pair: Range<Int>, in query: Span<UInt8>, ifNamed name: Span<UInt8>) -> Range<Int>? {
        var index = pair.lowerBound
        var matched = 0
        while index < pair.upperBound, query[index] != 0x3D {
            let (byte, length) = decoded(query, at: index, before: pair.upperBound)
            guard matched < name.count, byte == name[matched] else { return nil }
            matched &+= 1
            index &+= length
        }
        guard matched == name.count else { return nil }
        return index < pair.upperBound ? index &+ 1..<pair.upperBound : index..<index
    }

    /// Some parser could read a parameter of this name in `pair`; one that takes ";" for a separator sees several in it.
    /// - Parameter nested: one that nests the name counts too, as `user[name]` does.
    static func isReadable(
        _ name: ParameterName, in pair: Range<Int>, of query: Span<UInt8>, nested: Bool = false
    ) -> Bool {
        var start = pair.lowerBound
        while true {
            var end = start
            var equals: Int?
            while end < pair.upperBound, query[end] != 0x3B {
                if equals == nil, query[end] == 0x3D { equals = end }
                end &+= 1
            }
            let part = query.extracting(start..<(equals ?? end))
            if nested ? name.isReadable(withinEscaped: part) : name.isReadable(inEscaped: part) { return true }
            if end == pair.upperBound { return false }
            start = end &+ 1
        }
    }

    /// Appends the query without every pair in which some parser could read one of these names; false when nothing is left.
    /// What stays is as it was, byte for byte.
    static func append(_ query: Span<UInt8>, without names: [ParameterName], to output: inout [UInt8]) -> Bool {
        var isFirst = true
        var start = 0
        while start < query.count {
            let end = query.firstIndex(of: 0x26, from: start) ?? query.count
            let pair = start..<end
            start = end &+ 1
            if names.contains(where: { isReadable($0, in: pair, of: query) }) { continue }
            if !isFirst { output.append(0x26) }
            isFirst = false
            output.append(contentsOf: query.extracting(pair))
        }
        return !isFirst
    }

    static func decode(_ text: Span<UInt8>, into output: inout [UInt8]) {
        var index = 0
        while index < text.count {
            let (byte, length) = decoded(text, at: index, before: text.count)
            output.append(byte)
            index &+= length
        }
    }

    /// The byte that stands at `index` and how many bytes spell it.
    private static func decoded(_ text: Span<UInt8>, at index: Int, before end: Int) -> (byte: UInt8, length: Int) {
        let byte = text[index]
        if byte == 0x2B { return (0x20, 1) }
        guard byte == 0x25, index &+ 2 < end, let high = text[index &+ 1].hexDigit, let low = text[index &+ 2].hexDigit
        else { return (byte, 1) }
        return (high << 4 | low, 3)
    }
}
