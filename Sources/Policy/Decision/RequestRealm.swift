package import Core

/// The realms that a request names in one way or another.
package struct RequestRealm: Sendable, Equatable {
    /// The realm that the caller's key is locked to.
    package var lock: String?
    /// Named in the query, for this one request.
    package var query: NamedRealms
    /// The client's default: named by the header or behind the bearer token.
    package var fallback: String?
    package var isRequired: Bool
    /// The parameter that names realms; nil where the route has none.
    package var parameter: ParameterName?

    package init(
        lock: String? = nil, query: NamedRealms = NamedRealms(), fallback: String? = nil, isRequired: Bool,
        parameter: ParameterName? = nil
    ) {
        self.lock = lock
        self.query = query
        self.fallback = fallback
        self.isRequired = isRequired
        self.parameter = parameter
    }

    /// The realm the request is about; nil where none is named and none is needed. The key's lock stands above the
    /// parameter, the parameter above the default; nothing that is named may contradict the lock.
    /// - Parameter content: what the content has under the parameter's name.
    package func resolved(content: NamedRealms = NamedRealms()) throws(Denial) -> String? {
        let named = query.named + content.named
        let deeper = query.deeper + content.deeper
        guard named.allSatisfy({ RealmRule.isRealm($0.utf8.span) }) else { throw .realmMissing }
        if let lock {
            guard named.allSatisfy({ $0 == lock }), deeper.allSatisfy({ $0 == lock }), fallback ?? lock == lock else {
                throw .realmNotAllowed
            }
            return lock
        }
        if let one = query.named.first, let other = content.named.first, one != other { throw .realmConflict }
        guard named.allSatisfy({ $0 == named[0] }) else { throw .realmAmbiguous }
        let realm = named.first ?? fallback
        if realm == nil, isRequired { throw .realmMissing }
        guard deeper.allSatisfy({ $0 == realm }) else { throw .realmAmbiguous }
        return realm
    }
}
