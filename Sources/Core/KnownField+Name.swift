extension KnownField {
    /// The field a name stands for, whatever its case: told by its length and then by a few words of it.
    package static func named(_ name: Span<UInt8>) -> KnownField {
        guard 2...19 ~= name.count else { return .other }
        let words = NameWords(name)
        return switch name.count {
        case 2: words.spell("te") ? .te : .other
        case 3: words.spell("via") ? .via : .other
        case 4: words.spell("host") ? .host : words.spell("date") ? .date : .other
        case 6: words.spell("cookie") ? .cookie : words.spell("server") ? .server : words.spell("expect") ? .expect : .other
        case 7: words.spell("upgrade") ? .upgrade : words.spell("trailer") ? .trailer : .other
        case 9: words.spell("forwarded") ? .forwarded : words.spell("x-real-ip") ? .xRealIP : .other
        case 10: words.spell("connection") ? .connection : words.spell("keep-alive") ? .keepAlive : .other
        case 11: words.spell("retry-after") ? .retryAfter : words.spell("traceparent") ? .traceparent : .other
        case 12: named(twelve: words)
        case 13: words.spell("authorization") ? .authorization : .other
        case 14: words.spell("content-length") ? .contentLength : .other
        case 15: words.spell("x-forwarded-for") ? .xForwardedFor : .other
        case 16: named(sixteen: words)
        case 17:
            words.spell("transfer-encoding")
                ? .transferEncoding : words.spell("x-forwarded-proto") ? .xForwardedProto : .other
        case 18: words.spell("proxy-authenticate") ? .proxyAuthenticate : .other
        case 19: words.spell("proxy-authorization") ? .proxyAuthorization : .other
        default: .other
        }
    }

    @inline(__always)
    private static func named(twelve words: NameWords) -> KnownField {
        if words.spell("content-type") { return .contentType }
        if words.spell("x-request-id") { return .xRequestID }
        return words.spell("max-forwards") ? .maxForwards : .other
    }

    @inline(__always)
    private static func named(sixteen words: NameWords) -> KnownField {
        if words.spell("x-forwarded-host") { return .xForwardedHost }
        if words.spell("x-forwarded-port") { return .xForwardedPort }
        if words.spell("proxy-connection") { return .proxyConnection }
        return words.spell("www-authenticate") ? .wwwAuthenticate : .other
    }
}

/// A name of 2 to 24 bytes as words that cover all of them, in lower case, to be compared with literals of its length.
private struct NameWords {
    private let count: Int
    /// The first eight bytes, or four, or one.
    private let first: UInt64
    /// The second eight bytes of a name of more than 16.
    private let middle: UInt64
    /// The last eight bytes, or four, or two.
    private let last: UInt64

    @inline(__always)
    init(_ name: Span<UInt8>) {
        count = name.count
        if count >= 8 {
            first = name.word(at: 0).lowercasedASCII
            middle = count > 16 ? name.word(at: 8).lowercasedASCII : 0
            last = name.word(at: count &- 8).lowercasedASCII
        } else if count >= 4 {
            first = UInt64(name.halfWord(at: 0)).lowercasedASCII
            middle = 0
            last = UInt64(name.halfWord(at: count &- 4)).lowercasedASCII
        } else {
            first = UInt64(name[0]).lowercasedASCII
            middle = 0
            last = (UInt64(name[count &- 2]) | UInt64(name[count &- 1]) &<< 8).lowercasedASCII
        }
    }

    /// The name is `lowercase`, which has its length. Inlined, since words of a literal are constants then.
    @inline(__always)
    func spell(_ lowercase: StaticString) -> Bool {
        let length = lowercase.utf8CodeUnitCount
        guard count == length else { return false }
        if length >= 8 {
            return first == lowercase.word(at: 0) && last == lowercase.word(at: length &- 8)
                && (length <= 16 || middle == lowercase.word(at: 8))
        }
        if length >= 4 {
            return first == UInt64(lowercase.halfWord(at: 0)) && last == UInt64(lowercase.halfWord(at: length &- 4))
        }
        return first == UInt64(lowercase.byte(at: 0))
            && last == UInt64(lowercase.byte(at: length &- 2)) | UInt64(lowercase.byte(at: length &- 1)) &<< 8
    }
}
