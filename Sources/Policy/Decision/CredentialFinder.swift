import Core

/// Finds what a request shows in one place. Heads come as `inout` because lending them out otherwise may copy them.
enum CredentialFinder {
    enum Finding: Equatable {
        case absent
        /// The value, as bytes of the head.
        case inHead(Range<Int>)
        /// The value, decoded into the scratch array.
        case decoded
        /// `Authorization` of another scheme, as bytes of the head: the value with its scheme. No credential of the gateway's.
        case otherScheme(Range<Int>)
        case refused(Denial)
    }

    /// `Authorization: Bearer TOKEN` (RFC 6750 §2.1), the scheme in any case (RFC 9110 §11.1).
    static func findBearer(_ head: inout RequestHead) -> Finding {
        var found: Range<Int>?
        let fields = head.fields.span
        for index in fields.indices where fields[index].known == .authorization {
            if found != nil { return .refused(.credentialAmbiguous) }
            found = fields[index].value.range
        }
        guard let found else { return .absent }
        return readBearer(found, head.bytes.span)
    }

    /// What an `Authorization` value shows; `found` is its place in the head's bytes.
    static func readBearer(_ found: Range<Int>, _ bytes: Span<UInt8>) -> Finding {
        let value = bytes.extracting(found)
        let space = value.firstIndex(of: 0x20) ?? value.count
        guard value.extracting(0..<space).equalsIgnoringCase("bearer") else {
            if value.count == 0 { return .refused(.credentialMalformed) }
            if AuthorizationValue.resemblesBearer(value) { return .refused(.schemeNotSupported) }
            return AuthorizationValue.listsBearer(value) ? .refused(.credentialAmbiguous) : .otherScheme(found)
        }
        var start = space
        while start < value.count, value[start] == 0x20 { start &+= 1 }
        guard start < value.count else { return .refused(.credentialMalformed) }
        return .inHead(found.lowerBound &+ start..<found.upperBound)
    }

    static func findField(_ name: Span<UInt8>, _ known: KnownField, _ head: inout RequestHead) -> Finding {
        var found: Range<Int>?
        let fields = head.fields.span
        for index in fields.indices {
            let field = fields[index]
            if field.known != known || known == .other && Int(field.name.count) != name.count { continue }
            if known == .other, !head.bytes.span.extracting(field.name.range).equalsIgnoringCase(lowercase: name) { continue }
            if found != nil { return .refused(.credentialAmbiguous) }
            found = field.value.range
        }
        guard let found else { return .absent }
        return found.isEmpty ? .refused(.credentialMalformed) : .inHead(found)
    }

    /// A parameter of the query, its name and value percent-decoded and "+" read as a space.
    static func findParameter(_ name: Span<UInt8>, _ head: inout RequestHead, _ scratch: inout [UInt8]) -> Finding {
        let query = head.bytes.span.extracting(head.query.range)
        var found: Range<Int>?
        var start = 0
        while start < query.count {
            let end = query.firstIndex(of: 0x26, from: start) ?? query.count
            let pair = start..<end
            start = end &+ 1
            guard let value = QueryParameters.value(of: pair, in: query, ifNamed: name) else { continue }
            if found != nil { return .refused(.credentialAmbiguous) }
            found = value
        }
        guard let found else { return .absent }
        scratch.removeAll(keepingCapacity: true)
        QueryParameters.decode(query.extracting(found), into: &scratch)
        return scratch.isEmpty ? .refused(.credentialMalformed) : .decoded
    }

    static func findCookie(_ name: Span<UInt8>, _ head: inout RequestHead) -> Finding {
        var found: Range<Int>?
        for field in head.fields where field.known == .cookie {
            let value = head.bytes.span.extracting(field.value.range)
            var start = 0
            while start < value.count {
                let end = value.firstIndex(of: 0x3B, from: start) ?? value.count
                let pair = value.trimmed(start..<end)
                start = end &+ 1
                guard let cookie = CookiePairs.value(of: pair, in: value, ifNamed: name) else { continue }
                if found != nil { return .refused(.credentialAmbiguous) }
                let offset = Int(field.value.start)
                found = cookie.lowerBound &+ offset..<cookie.upperBound &+ offset
            }
        }
        guard let found else { return .absent }
        return found.isEmpty ? .refused(.credentialMalformed) : .inHead(found)
    }
}
