import Core

/// Where requests of a route name their realm. A realm is up to 128 letters, digits, "-", "_" and ".".
struct RealmRule: Sendable {
    private let header: CredentialPlace?
    /// The parameter's name; nil without a parameter.
    private let name: ParameterName?
    let isRequired: Bool
    /// The parameter to look for in content that goes to an upstream; nil where it is not looked at.
    let contentParameter: ParameterName?

    init(_ configuration: RealmConfiguration) {
        header = configuration.header.map { CredentialSource.header($0).place.place }
        name = configuration.parameter.map { ParameterName($0) }
        isRequired = configuration.isRequired
        contentParameter = configuration.readsContent ? name : nil
    }

    /// What the head of a request names. Two fields or parameters of one name are a conflict also when they are equal: which of
    /// them an upstream takes cannot be known. A parameter that some parser could read by the name is refused for that reason.
    /// - Parameter suffix: what stands behind the bearer token, with its comma; nil without one.
    func realm(
        of head: inout RequestHead, suffix: Range<Int>?, lock: String?, scratch: inout [UInt8]
    ) throws(Denial) -> RequestRealm {
        var realm = RequestRealm(lock: lock, isRequired: isRequired, parameter: name)
        if let name, head.hasQuery {
            realm.query = try RealmContent.realms(named: name, inQuery: head.bytes.span.extracting(head.query.range))
        }
        let named = try header.flatMap { (place) throws(Denial) in try Self.find(place, &head, &scratch) }
        let behind = try suffix.map { (range) throws(Denial) in try Self.text(head.bytes.span.extracting(range)) }
        if let named, let behind, named != behind { throw .realmConflict }
        realm.fallback = named ?? behind
        return realm
    }

    private static func find(
        _ place: CredentialPlace, _ head: inout RequestHead, _ scratch: inout [UInt8]
    ) throws(Denial) -> String? {
        switch place.find(in: &head, scratch: &scratch) {
        case .absent, .otherScheme: return nil
        case .refused(.credentialAmbiguous): throw .realmConflict
        case .refused: throw .realmMissing
        case .inHead(let range): return try text(head.bytes.span.extracting(range))
        case .decoded:
            let value = scratch
            return try text(value.span)
        }
    }

    private static func text(_ bytes: Span<UInt8>) throws(Denial) -> String {
        guard isRealm(bytes) else { throw .realmMissing }
        return String(decoding: bytes.copied(), as: UTF8.self)
    }

    static func isRealm(_ bytes: Span<UInt8>) -> Bool {
        guard (1...128).contains(bytes.count) else { return false }
        for index in bytes.indices {
            let byte = bytes[index]
            guard byte.isLetterOrDigit || byte == 0x2D || byte == 0x5F || byte == 0x2E else { return false }
        }
        return true
    }
}
