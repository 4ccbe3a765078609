extension APIKeyTable {
    /// The table of an authenticator's stored keys. A key whose owner is unknown or disabled is disabled, and has no scope
    /// that its owner has not. O(n); a few hundred nanoseconds a key.
    ///
    /// Throws when two keys have one id, two secrets one digest, or a record is out of the bounds of `APIKeyBounds`.
    package static func stored(
        _ keys: some Sequence<DirectoryKey>, users: [String: DirectoryUser]
    ) throws(APIKeyTableError) -> APIKeyTable {
        var builder = Builder()
        for key in keys {
            var isEnabled = key.isEnabled
            var scopes = key.scopes
            if let owner = key.owner {
                let user = users[owner]
                isEnabled = isEnabled && user?.isEnabled ?? false
                let granted = user?.scopes ?? []
                if !scopes.allSatisfy(granted.contains) { scopes.removeAll { !granted.contains($0) } }
            }
            try builder.add(key, scopes: scopes, isEnabled: isEnabled)
        }
        return try builder.build()
    }
}
