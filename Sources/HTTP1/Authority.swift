import Core

/// The syntax of `uri-host [":" port]` (RFC 9110 §7.2, RFC 3986 §3.2).
enum Authority {
    /// A host that is not empty, without userinfo, and a port of 1 to 5 digits below 65,536 when there is a colon.
    static func isValid(_ bytes: Span<UInt8>) -> Bool {
        var end = bytes.count
        if let colon = bytes.lastColonOfPort {
            guard isPort(bytes.extracting(colon &+ 1..<end)) else { return false }
            end = colon
        }
        guard end > 0 else { return false }
        let host = bytes.extracting(0..<end)
        return host[0] == 0x5B ? isIPLiteral(host) : isRegisteredName(host)
    }

    private static func isPort(_ digits: Span<UInt8>) -> Bool {
        guard 1...5 ~= digits.count else { return false }
        var port = 0
        for index in digits.indices {
            guard digits[index].isDigit else { return false }
            port = port &* 10 &+ Int(digits[index] &- 0x30)
        }
        return port < 65_536
    }

    /// `[` IPv6address `]`, as far as its bytes go.
    private static func isIPLiteral(_ host: Span<UInt8>) -> Bool {
        guard host.count > 3, host[host.count &- 1] == 0x5D else { return false }
        var colons = 0
        for index in 1..<host.count &- 1 {
            let byte = host[index]
            guard byte.hexDigit != nil || byte == 0x3A || byte == 0x2E else { return false }
            if byte == 0x3A { colons &+= 1 }
        }
        return 2...7 ~= colons
    }

    private static func isRegisteredName(_ host: Span<UInt8>) -> Bool {
        host.firstIndex(outside: .hostName, from: 0) == host.count
    }
}

extension ByteClass {
    /// Letters, digits, `-`, `.`, `_`, `~`: the unreserved bytes of RFC 3986.
    @inline(__always)
    static var hostName: ByteClass { ByteClass(low: 0x03FF_6000_0000_0000, high: 0x47FF_FFFE_87FF_FFFE) }
}

extension Span where Element == UInt8 {
    /// The colon before a port: the last colon, unless it stands inside an address in brackets.
    fileprivate var lastColonOfPort: Int? {
        var index = count
        while index > 0 {
            index &-= 1
            if self[index] == 0x3A { return index }
            if self[index] == 0x5D { return nil }
        }
        return nil
    }
}
