/// The syntax of `uri-host [":" port]`, what a Host field and `:authority` hold (RFC 9110 §7.2, RFC 3986 §3.2).
package enum Authority {
    /// The longest host name, as RFC 3986 §3.2.2 and the DNS have it.
    private static let hostBytes = 255

    /// True for a host that is not empty, without userinfo, and, after a colon, a port of one to five digits up to
    /// 65,535.
    ///
    /// A host is an IPv6 address in brackets or a name of RFC 3986's unreserved bytes: letters, digits, `-`, `.`, `_`,
    /// `~`. The grammar's percent-encoding and sub-delimiters are refused, since they give one name several spellings
    /// ("%61") or look like several hosts ("a,b"), and no route could tell which the upstream will see.
    package static func isValidAuthority(_ bytes: Span<UInt8>) -> Bool {
        let host = hostRange(in: bytes)
        if host.upperBound < bytes.count {
            guard bytes[host.upperBound] == 0x3A, port(bytes.extracting(host.upperBound &+ 1..<bytes.count)) != nil
            else {
                return false
            }
        }
        return isValidHost(bytes.extracting(host))
    }

    /// The bytes of a request's authority that say something: all of them, without the colon of an empty port (`api.test:` is
    /// `api.test`, RFC 3986 §6.2.3). Nil where the authority is invalid.
    package static func significantCount(in bytes: Span<UInt8>) -> Int? {
        let count = bytes.count
        let hasEmptyPort = count > 0 && bytes[count &- 1] == 0x3A && hostRange(in: bytes).upperBound == count &- 1
        let significant = hasEmptyPort ? count &- 1 : count
        return isValidAuthority(bytes.extracting(0..<significant)) ? significant : nil
    }

    /// The host without the port: an IPv6 address with its brackets, or everything before the first colon. The rest is
    /// empty or begins with the colon where the authority is valid.
    package static func hostRange(in bytes: Span<UInt8>) -> Range<Int> {
        if bytes.count > 0, bytes[0] == 0x5B {
            return 0..<(bytes.firstIndex(of: 0x5D).map { $0 &+ 1 } ?? bytes.count)
        }
        return 0..<(bytes.firstIndex(of: 0x3A) ?? bytes.count)
    }

    /// The number that one to five digits spell; nil when it is above 65,535 or something else stands there.
    package static func port(_ digits: Span<UInt8>) -> UInt16? {
        guard 1...5 ~= digits.count else { return nil }
        var port = 0
        for index in digits.indices {
            guard digits[index].isDigit else { return nil }
            port = port &* 10 &+ Int(digits[index] &- 0x30)
        }
        return UInt16(exactly: port)
    }

    private static func isValidHost(_ host: Span<UInt8>) -> Bool {
        guard 1...hostBytes ~= host.count else { return false }
        if host[0] == 0x5B {
            guard host.count > 2, host[host.count &- 1] == 0x5D else { return false }
            return host.extracting(1..<host.count &- 1).ipv6Address != nil
        }
        return host.firstIndex(from: 0, strangers: { $0.outsideNames }, isMember: { $0.isUnreserved }) == host.count
    }
}

extension UInt8 {
    /// Letters, digits, `-`, `.`, `_`, `~` (RFC 3986 §2.3).
    fileprivate var isUnreserved: Bool {
        (self | 0x20) &- 0x61 < 26 || isDigit || self == 0x2D || self == 0x2E || self == 0x5F || self == 0x7E
    }
}
