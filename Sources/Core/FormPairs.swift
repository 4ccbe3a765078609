/// The pairs of `application/x-www-form-urlencoded` text (URL Standard §5.1), read strictly. The one reader of forms: what
/// the gateway takes from a form itself and what it looks for in one that goes to an upstream come from here.
package enum FormPairs {
    package struct Pair: Sendable, Equatable {
        package var name: String
        /// Empty without "=".
        package var value: String
        /// Where the pair is in the text.
        package var range: Range<Int>
    }

    /// Bad percent-encoding, bytes that are not UTF-8, or too many pairs.
    package struct Malformed: Error, Equatable {}

    /// Nothing between two "&" is nothing, as browsers take it.
    /// - Parameter countLimit: more than this between "&" are refused.
    package static func parse(_ text: Span<UInt8>, countLimit: Int) throws(Malformed) -> [Pair] {
        var pairs: [Pair] = []
        var count = 0
        var start = 0
        while start <= text.count {
            count &+= 1
            guard count <= countLimit else { throw Malformed() }
            let end = text.firstIndex(of: 0x26, from: start) ?? text.count
            if start < end {
                let equals = text.extracting(start..<end).firstIndex(of: 0x3D).map { start &+ $0 } ?? end
                guard let name = decoded(text.extracting(start..<equals)),
                    let value = decoded(text.extracting(min(equals &+ 1, end)..<end))
                else { throw Malformed() }
                pairs.append(Pair(name: name, value: value, range: start..<end))
            }
            start = end &+ 1
        }
        return pairs
    }

    private static func decoded(_ text: Span<UInt8>) -> String? {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(text.count)
        var index = 0
        while index < text.count {
            let byte = text[index]
            index &+= 1
            if byte == 0x2B {
                bytes.append(0x20)
            } else if byte == 0x25 {
                guard text.count &- index >= 2, let high = text[index].hexDigit, let low = text[index &+ 1].hexDigit else {
                    return nil
                }
                bytes.append(high << 4 | low)
                index &+= 2
            } else {
                bytes.append(byte)
            }
        }
        return String(validating: bytes, as: UTF8.self)
    }
}
