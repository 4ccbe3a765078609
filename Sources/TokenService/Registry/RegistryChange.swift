import Store

/// Which parts of what is published a list of changes touches.
package struct RegistryChange: Sendable {
    /// Authenticators whose keys differ.
    package var authenticators: Set<String> = []
    /// Users or memberships differ, and with them what keys may do.
    package var people = false
    /// Key sets whose signing keys differ.
    package var keySets: Set<String> = []
    /// Everything may differ: the store was read anew.
    package var everything = false

    var isEmpty: Bool { authenticators.isEmpty && !people && keySets.isEmpty && !everything }

    static let all = {
        var change = RegistryChange()
        change.everything = true
        return change
    }()

    /// Adds what a change touches; to be told of the undoing changes too, which name what was there before.
    mutating func add(_ change: StoreChange) {
        switch change {
        case .putKey(let key): authenticators.insert(key.authenticator)
        case .removeKey: break
        case .putUser, .removeUser, .putOrganization, .removeOrganization, .putProject, .removeProject, .putMembership,
            .removeMembership:
            people = true
        case .putSigningKey(let key): keySets.insert(key.keySet)
        case .removeSigningKey, .putTokenFamily, .removeTokenFamily, .putUpstreamCredential, .removeUpstreamCredential:
            break
        }
    }
}
