/// A directory as one policy sees it: with an authenticator for each of its tables. Immutable.
package final class DirectoryView: Sendable {
    package let directory: Directory
    /// In the order of the snapshot's `storedKeys`.
    private let authenticators: [KeyAuthenticator]

    /// Of a policy that takes nothing from a store.
    package static let none = DirectoryView(.none, rules: [])

    init(_ directory: Directory, rules: [StoredKeyRules]) {
        self.directory = directory
        authenticators = rules.map { $0.authenticator(over: directory.tables[$0.name] ?? .empty) }
    }

    /// The stored keys beside those of an authenticator; nil where it has none in the store.
    func stored(beside authenticator: KeyAuthenticator) -> KeyAuthenticator? {
        guard case .beside(let place) = authenticator.stored, place < authenticators.count else { return nil }
        return authenticators[place]
    }
}
