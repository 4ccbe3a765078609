import Core

/// Whose credential an `Authorization` value is: the gateway's, or one that a server behind it asks for.
///
/// What is not the gateway's is treated as absent and goes on. So a value that some server could read as a bearer token,
/// though the gateway does not, is never taken for another scheme's.
enum AuthorizationValue {
    /// `Bearer` and something else than a space (`Bearer:x`, a tab), or an opening that no scheme has (`"Bearer x"`):
    /// lenient servers read a bearer token there.
    static func resemblesBearer(_ value: Span<UInt8>) -> Bool {
        guard value.count > 0, ByteClass.token.contains(value[0]) else { return true }
        guard value.count > 6, value.extracting(0..<6).equalsIgnoringCase("bearer") else { return false }
        return !ByteClass.token.contains(value[6])
    }

    /// A bearer token behind a comma: what becomes of two fields that some proxy joined (RFC 9110 §5.3).
    static func listsBearer(_ value: Span<UInt8>) -> Bool {
        var index = 0
        while let comma = value.firstIndex(of: 0x2C, from: index) {
            index = comma &+ 1
            var start = index
            while start < value.count, value[start] == 0x20 || value[start] == 0x09 { start &+= 1 }
            let rest = value.extracting(start..<value.count)
            guard rest.count >= 6, rest.extracting(0..<6).equalsIgnoringCase("bearer") else { continue }
            if rest.count == 6 || rest[6] == 0x20 || rest[6] == 0x09 { return true }
        }
        return false
    }

    /// token68 (RFC 9110 §11.2), which every bearer token is (RFC 6750 §2.1).
    static func isToken68(_ value: Span<UInt8>) -> Bool {
        var end = value.count
        while end > 0, value[end &- 1] == 0x3D { end &-= 1 }
        if end == 0 { return false }
        for index in 0..<end {
            let byte = value[index]
            let isMark = byte == 0x2D || byte == 0x2E || byte == 0x5F || byte == 0x7E || byte == 0x2B || byte == 0x2F
            guard byte.isDigit || byte.lowercasedASCII &- 0x61 < 26 || isMark else { return false }
        }
        return true
    }
}

extension CredentialPlan.Probe {
    /// A bearer token that no judge of the place is for, and that no server reads as one of theirs either.
    func isForeign(bearer value: Span<UInt8>) -> Bool { judge(of: value) == nil && AuthorizationValue.isToken68(value) }

    /// A value of another scheme that is a credential of the place without its scheme (`Authorization: KEY`).
    func isMissingScheme(_ value: Span<UInt8>) -> Bool {
        if value.firstIndex(of: 0x20) != nil { return false }
        for judge in judges {
            if judge.prefix.count > 0, judge.prefix.begin(value) { return true }
            if judge.tokens != nil, Snapshot.looksLikeToken(value) { return true }
        }
        return false
    }

    /// What the request shows here that is for the gateway to judge; `.otherScheme` is for another server.
    /// - Parameter scratch: emptied and filled for a value that had to be decoded.
    @inline(__always)
    func find(in head: inout RequestHead, scratch: inout [UInt8]) -> CredentialFinder.Finding {
        let finding = place.find(in: &head, scratch: &scratch)
        if case .otherScheme(let range) = finding, isMissingScheme(head.bytes.span.extracting(range)) {
            return .refused(.schemeNotSupported)
        }
        return finding
    }
}

extension CredentialPlan {
    /// Whether an `Authorization` value is one that an authenticator of the route judged, or would have judged had nothing else
    /// been shown. The value is a field's of this head.
    func judges(authorization value: Range<Int>, of head: RequestHead) -> Bool {
        for group in groups {
            for probe in group {
                switch probe.place.kind {
                case .query, .cookie, .certificate: continue
                case .header: if probe.place.known == .authorization { return true }
                case .bearer:
                    switch CredentialFinder.readBearer(value, head.bytes.span) {
                    case .absent: continue
                    case .refused, .decoded: return true
                    case .otherScheme: if probe.isMissingScheme(head.bytes.span.extracting(value)) { return true }
                    case .inHead(let range): if !probe.isForeign(bearer: head.bytes.span.extracting(range)) { return true }
                    }
                }
            }
        }
        return false
    }
}
