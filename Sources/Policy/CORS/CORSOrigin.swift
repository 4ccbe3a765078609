import Core

/// One of `cors.origins`: an origin as browsers write it (RFC 6454 §6.2), or all hosts below a name, as in `https://*.acme.example`.
package struct CORSOrigin: Sendable, Equatable {
    /// As it is written in the policy.
    package let text: String
    /// The whole origin, or what stands before the `*`.
    private let prefix: [UInt8]
    /// What stands behind the `*`, from the dot on; nil for a single origin.
    private let suffix: [UInt8]?

    private init(_ text: String, wildcard: Int?) {
        self.text = text
        let bytes = Array(text.utf8)
        prefix = Array(bytes.prefix(wildcard ?? bytes.count))
        suffix = wildcard.map { Array(bytes.dropFirst($0 + 1)) }
    }

    /// Reads an origin that can match: browsers write scheme and host in lower case, no default port and no path.
    package static func read(_ text: String) -> Result<CORSOrigin, CORSOriginError> {
        if text == "null" { return .failure(.opaque) }
        let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 2, parts[1].hasPrefix("//"), isScheme(parts[0].lowercasedASCII) else { return .failure(.schemeMissing) }
        let scheme = parts[0]
        let authority = String(parts[1].dropFirst(2))
        if authority.utf8.contains(where: { $0 == 0x2F || $0 == 0x3F || $0 == 0x23 || $0 == 0x40 }) { return .failure(.notOnlyOrigin) }
        if text.utf8.contains(where: { $0 >= 0x80 }) { return .failure(.notASCII) }
        if text != text.lowercasedASCII { return .failure(.upperCase) }
        let colon = authority.hasSuffix("]") ? nil : authority.lastIndex(of: ":")
        if let colon, let fault = portFault(String(authority[authority.index(after: colon)...]), scheme) { return .failure(fault) }
        let host = String(colon.map { authority[..<$0] } ?? authority[...])
        let isWildcard = host.hasPrefix("*.")
        if let fault = isWildcard ? wildcardFault(String(host.dropFirst(2))) : hostFault(host) { return .failure(fault) }
        return .success(CORSOrigin(text, wildcard: isWildcard ? scheme.utf8.count + 3 : nil))
    }

    /// Whether the value of an `Origin` field is this origin, byte for byte, or one of a host below the name, with at least one
    /// label more.
    func matches(_ origin: Span<UInt8>) -> Bool {
        guard let suffix else { return origin.equals(prefix.span) }
        let (start, end) = (prefix.count, origin.count &- suffix.count)
        guard start < end, origin.extracting(0..<start).equals(prefix.span),
            origin.extracting(end..<origin.count).equals(suffix.span)
        else { return false }
        return Self.areLabels(origin.extracting(start..<end))
    }

    private static func isScheme(_ text: String) -> Bool {
        guard let first = text.utf8.first, first.isLetterOrDigit, !first.isDigit else { return false }
        return text.utf8.allSatisfy { $0.isLetterOrDigit || $0 == 0x2B || $0 == 0x2D || $0 == 0x2E }
    }

    /// What is wrong with a port that browsers would not write.
    private static func portFault(_ digits: String, _ scheme: String) -> CORSOriginError? {
        guard let port = UInt16(digits), String(port) == digits, port > 0 else { return .portInvalid }
        return scheme == "http" && port == 80 || scheme == "https" && port == 443 ? .defaultPort : nil
    }

    private static func hostFault(_ host: String) -> CORSOriginError? {
        if host.hasPrefix("[") {
            let inner = String(host.dropFirst().dropLast())
            guard host.hasSuffix("]"), inner.contains(":"), let address = IPAddress(inner) else { return .hostInvalid }
            return inner == address.description ? nil : .addressNotNormal
        }
        let bytes = Array(host.utf8)
        return areLabels(bytes.span) && bytes.count <= 253 ? nil : .hostInvalid
    }

    /// - Parameter name: what stands behind `*.`
    private static func wildcardFault(_ name: String) -> CORSOriginError? {
        if name.hasPrefix("[") { return .hostInvalid }
        if let fault = hostFault(name) { return fault }
        // A host whose last label is a number is an IPv4 address, and has no names below it.
        let last = name.split(separator: ".").last ?? ""
        return last.utf8.allSatisfy(\.isDigit) ? .hostInvalid : nil
    }

    /// Labels in lower case with dots between them, none of them empty.
    private static func areLabels(_ text: Span<UInt8>) -> Bool {
        var isAfterDot = true
        for index in text.indices {
            let byte = text[index]
            if byte == 0x2E {
                if isAfterDot { return false }
                isAfterDot = true
            } else {
                guard byte.isDigit || byte &- 0x61 < 26 || byte == 0x2D || byte == 0x5F else { return false }
                isAfterDot = false
            }
        }
        return !isAfterDot
    }
}
