import Store

extension StoreIndex {
    /// Realms of one key set that callers may name by themselves; keys locked to a realm are not bound by it.
    static let realmLimit = 1000
    static let tooManyRealms = "Realms of a key set are limited to \(realmLimit)"

    /// A realm has keys in the set already, or one more realm may have some.
    func hasRoom(for realm: String, in keySet: String) -> Bool {
        var realms: Set<String> = []
        for key in signingKeys.values where key.keySet == keySet {
            if key.realm == realm { return true }
            if let other = key.realm { realms.insert(other) }
        }
        return realms.count < Self.realmLimit
    }
}
