/// A request target taken apart (RFC 9112 §3.2): origin-form, absolute-form of http or https, or `*`.
///
/// In the path each `%` is before two hexadecimal digits, and `\` is refused, which is a slash to some servers. Every other
/// visible ASCII byte but `#` passes, in the path as in the query: browsers and other clients send ``"<>[]^`{|}`` unencoded,
/// though RFC 3986 §3.3 has them in no path. `PathNormaliser` takes them for their percent-encodings.
package struct RequestTarget: Sendable {
    package private(set) var form: TargetForm
    package private(set) var authority = ByteRange.empty
    package private(set) var path = ByteRange.empty
    package private(set) var query = ByteRange.empty
    package private(set) var hasQuery = false

    /// `target` holds visible ASCII bytes other than `#`; `start` is what its ranges count from. Nil when it is no
    /// target.
    package init?(_ target: Span<UInt8>, start: Int) {
        guard let first = target.first else { return nil }
        if first == 0x2F {
            form = .origin
            guard takePathAndQuery(target, from: 0, start: start) else { return nil }
        } else if first == 0x2A, target.count == 1 {
            form = .asterisk
            path = ByteRange(start: start, count: 1)
        } else {
            form = .absolute
            guard takeAbsolute(target, start: start) else { return nil }
        }
    }

    private mutating func takeAbsolute(_ target: Span<UInt8>, start: Int) -> Bool {
        guard let colon = target.firstIndex(of: 0x3A), target.count > colon &+ 3 else { return false }
        let scheme = target.extracting(0..<colon)
        guard scheme.equalsIgnoringCase("http") || scheme.equalsIgnoringCase("https") else { return false }
        guard target[colon &+ 1] == 0x2F, target[colon &+ 2] == 0x2F else { return false }
        var end = colon &+ 3
        while end < target.count, target[end] != 0x2F, target[end] != 0x3F { end &+= 1 }
        let host = colon &+ 3..<end
        guard let count = Authority.significantCount(in: target.extracting(host)) else { return false }
        authority = ByteRange(start: start &+ host.lowerBound, count: count)
        return takePathAndQuery(target, from: end, start: start)
    }

    /// The path may be empty here only: `http://host?query`.
    private mutating func takePathAndQuery(_ target: Span<UInt8>, from lower: Int, start: Int) -> Bool {
        let end = target.firstIndex(of: 0x3F, from: lower) ?? target.count
        var index = lower
        while true {
            index = target.firstIndexOutsidePlainPath(from: index)
            guard index < end else { break }
            guard target[index] == 0x25 else {
                if target[index] == 0x5C { return false }
                index &+= 1
                continue
            }
            guard index &+ 2 < end, target[index &+ 1].hexDigit != nil, target[index &+ 2].hexDigit != nil else { return false }
            index &+= 3
        }
        path = ByteRange(start: start &+ lower, count: end &- lower)
        if end < target.count {
            hasQuery = true
            query = ByteRange(start: start &+ end &+ 1, count: target.count &- end &- 1)
        }
        return true
    }

    /// Puts the parts where a head has them.
    package func store(in head: inout RequestHead) {
        head.targetForm = form
        head.authority = authority
        head.path = path
        head.query = query
        head.hasQuery = hasQuery
    }
}

extension Span where Element == UInt8 {
    fileprivate var first: UInt8? { isEmpty ? nil : self[0] }
}
