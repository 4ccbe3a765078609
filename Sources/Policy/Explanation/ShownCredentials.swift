import Core

/// The credentials that one request shows, to be kept out of all that is said of it: what is masked in its own place may
/// stand in others, too.
struct ShownCredentials {
    /// Shorter values are words that anything may contain.
    private static let leastBytes = 6
    /// So many bytes of a long one give it away: texts are cut.
    private static let tellingBytes = 40

    /// In every spelling, the longest first, since one may begin with another.
    private let spellings: [[UInt8]]

    init(_ head: RequestHead, _ mask: Masking) {
        var values: [[UInt8]] = []
        for field in head.fields {
            let name = String(decoding: head.bytes[field.name.range], as: UTF8.self).lowercasedASCII
            let value = Array(head.bytes[field.value.range])
            if name == "authorization" || name == "proxy-authorization" {
                values += Self.credentials(value)
            } else if name == "cookie" {
                for pair in value.split(separator: 0x3B) where mask.isCredential(cookie: Self.name(of: pair)) {
                    values.append(Self.value(of: pair))
                }
            } else if mask.isCredential(field: name) {
                values.append(value)
            }
        }
        for pair in head.bytes[head.query.range].split(separator: 0x26) where mask.isCredential(parameter: Self.name(of: pair)) {
            let value = Self.value(of: pair)
            var decoded: [UInt8] = []
            QueryParameters.decode(value.span, into: &decoded)
            values += [value, decoded]
        }
        let long = Set(values.lazy.filter { $0.count >= Self.leastBytes })
        spellings = Set(long.flatMap(Self.spellings)).sorted { $0.count > $1.count }
    }

    /// What stands behind the scheme: with a realm behind a comma, and without; a password by itself, too.
    private static func credentials(_ value: [UInt8]) -> [[UInt8]] {
        let start = value.firstIndex(of: 0x20) ?? -1
        let credential = Array(value[(start + 1)...].drop { $0 == 0x20 })
        var all = [credential]
        if let comma = credential.firstIndex(of: 0x2C) { all.append(Array(credential[..<comma])) }
        let url = credential.filter { $0 != 0x3D }.map { $0 == 0x2B ? 0x2D : $0 == 0x2F ? 0x5F : $0 }
        if value.prefix(max(start, 0)).map(\.lowercasedASCII).elementsEqual("basic".utf8), let pair = Base64URL.decode(url.span) {
            all.append(pair)
            if let colon = pair.firstIndex(of: 0x3A) { all.append(Array(pair[(colon + 1)...])) }
        }
        return all
    }

    private static func name(of pair: ArraySlice<UInt8>) -> String {
        let name = pair.prefix { $0 != 0x3D }.drop { $0 == 0x20 }
        return String(decoding: name, as: UTF8.self)
    }

    private static func value(of pair: ArraySlice<UInt8>) -> [UInt8] {
        Array(pair.drop { $0 != 0x3D }.dropFirst())
    }

    /// As it is, percent-encoded (RFC 3986 §2.1) and as messages quote it.
    private static func spellings(_ value: [UInt8]) -> [[UInt8]] {
        var upper: [UInt8] = []
        var lower: [UInt8] = []
        for byte in value {
            let isUnreserved = byte.lowercasedASCII &- 0x61 < 26 || byte.isDigit || [0x2D, 0x2E, 0x5F, 0x7E].contains(byte)
            let digits = (byte < 16 ? "0" : "") + String(byte, radix: 16)
            upper += isUnreserved ? [byte] : Array("%\(digits.uppercased())".utf8)
            lower += isUnreserved ? [byte] : Array("%\(digits)".utf8)
        }
        let quotation = quoted(String(decoding: value, as: UTF8.self)).utf8
        return [value, upper, lower, Array(quotation.dropFirst().dropLast())]
    }

    /// A text with every occurrence of every credential masked.
    func masked(_ text: String) -> String {
        if spellings.isEmpty { return text }
        let bytes = Array(text.utf8)
        var shown: [UInt8] = []
        var start = 0
        while start < bytes.count {
            let rest = bytes[start...]
            let length = spellings.lazy.map { Self.length(of: $0, at: rest) }.first { $0 > 0 } ?? 0
            if length > 0 { shown += Masking.mask.utf8 } else { shown.append(bytes[start]) }
            start += max(length, 1)
        }
        return String(decoding: shown, as: UTF8.self)
    }

    /// How many bytes of a credential a text begins with; 0 where they do not tell it.
    private static func length(of credential: [UInt8], at rest: ArraySlice<UInt8>) -> Int {
        guard rest.first == credential.first else { return 0 }
        let count = zip(credential, rest).prefix { $0 == $1 }.count
        return count >= min(credential.count, tellingBytes) ? count : 0
    }
}

extension Explanation {
    /// Masks the credentials of the request in everything that is said of it.
    mutating func mask(_ shown: ShownCredentials) {
        request = shown.masked(request)
        for step in steps.indices {
            for check in steps[step].checks.indices {
                steps[step].checks[check].text = shown.masked(steps[step].checks[check].text)
            }
        }
        forwarded?.mask(shown)
        answer.mask(shown)
    }
}

extension Explanation.Message {
    fileprivate mutating func mask(_ shown: ShownCredentials) {
        start = shown.masked(start)
        body = shown.masked(body)
        for index in fields.indices { fields[index].value = shown.masked(fields[index].value) }
    }
}
