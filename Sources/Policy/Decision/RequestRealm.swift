/// The realms that a request names in one way or another.
package struct RequestRealm: Sendable, Equatable {
    /// The realm that the caller's key is locked to.
    package var lock: String?
    /// Named by the parameter in the query, for this one request.
    package var parameter: String?
    /// The client's default: named by the header or behind the bearer token.
    package var fallback: String?
    package var isRequired: Bool

    package init(lock: String? = nil, parameter: String? = nil, fallback: String? = nil, isRequired: Bool) {
        self.lock = lock
        self.parameter = parameter
        self.fallback = fallback
        self.isRequired = isRequired
    }

    /// The realm the request is about; nil where none is named and none is needed. The key's lock stands above the
    /// parameter, the parameter above the default; nothing that is named may contradict the lock.
    /// - Parameter content: the parameter in the content of a request to an action.
    package func resolved(content: String? = nil) throws(Denial) -> String? {
        if let parameter, let content, parameter != content { throw .realmConflict }
        if let content, !RealmRule.isRealm(content.utf8.span) { throw .realmMissing }
        let named = parameter ?? content
        if let lock {
            for realm in [named, fallback] {
                if let realm, realm != lock { throw .realmNotAllowed }
            }
            return lock
        }
        if let realm = named ?? fallback { return realm }
        if isRequired { throw .realmMissing }
        return nil
    }
}
