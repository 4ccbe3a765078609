package import Core

/// How an authenticator's tokens name what they live and die with, and where that is looked for.
package struct TokenDerivation: Sendable {
    package enum Source: Sendable {
        /// The keys of this authenticator, stored ones too where it takes them.
        case keys(KeyAuthenticator)
        case users
    }

    package let source: Source
    /// The claim that holds the family, or the user's id.
    package let claim: JSONPointer

    /// The store has to be asked.
    var usesDirectory: Bool {
        switch source {
        case .keys(let authenticator): authenticator.takesStored
        case .users: true
        }
    }

    /// What the token lives with: still there, and good now.
    func parent(
        of claims: JSONNode, issuedAt: WallTime?, view: DirectoryView, now: WallTime
    ) throws(TokenFault) -> TokenParent {
        guard case .string(let name)? = claim.resolve(in: claims)?.value else { throw .claimMissing }
        switch source {
        case .keys(let authenticator):
            guard let family = KeyFamily(name.utf8.span) else { throw .revoked }
            for place in [authenticator, view.stored(beside: authenticator)] {
                guard let place, let record = place.table.lookup(family) else { continue }
                guard place.table.fault(of: record, now: now) == nil else { throw .revoked }
                return .key(record, place)
            }
            throw .revoked
        case .users:
            // The dictionary takes canonically equivalent strings for equal.
            guard let user = view.directory.users[name], user.id.utf8.span.equals(name.utf8.span), user.isEnabled,
                let issuedAt, issuedAt >= user.tokensValidFrom
            else { throw .revoked }
            return .user(user)
        }
    }
}
