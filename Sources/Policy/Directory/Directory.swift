import Core

/// What the store says about keys, users and memberships, as decisions use it. Immutable: each change of the store makes
/// another one, and every request looks at the newest.
package final class Directory: Sendable {
    /// The stored keys of each authenticator that has any, by the authenticator's name. Keys of users who are gone or
    /// disabled are disabled in it; scopes are bounded by the owner's.
    package let tables: [String: APIKeyTable]
    /// By id.
    package let users: [String: DirectoryUser]
    /// False when the store could not be read: whoever asks for a stored credential is answered `store_unavailable`.
    package let isAvailable: Bool

    /// Of a gateway without a store.
    package static let none = Directory(tables: [:], users: [:])

    package init(tables: [String: APIKeyTable], users: [String: DirectoryUser], isAvailable: Bool = true) {
        self.tables = tables
        self.users = users
        self.isAvailable = isAvailable
    }

    /// The user whose id is the identity's subject.
    func user(behind identity: Identity) -> DirectoryUser? {
        guard let subject = identity.subject, let user = users[subject] else { return nil }
        // The dictionary takes canonically equivalent strings for equal.
        return user.id.utf8.span.equals(subject.utf8.span) ? user : nil
    }
}
