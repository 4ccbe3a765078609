package import Core
package import Policy

/// Who asks for a change, and how much of what he has he may pass on.
package struct ManagementCaller: Sendable {
    /// An API key and the authenticator that takes it.
    package struct Key: Sendable, Equatable {
        package var id: String
        package var authenticator: String

        package init(id: String, authenticator: String) {
            self.id = id
            self.authenticator = authenticator
        }
    }

    /// How he was recognised: "api_key", "jwt", "certificate", "admin" for the admin listener's token,
    /// "command_line", "gateway", "refresh_token".
    package var method: String?
    /// The id of the key or token.
    package var credential: String?
    /// The API key that was shown, or that is behind the token that was.
    package var key: Key?
    /// Whom the credential stands for; a user's id where it is one's.
    package var subject: String?
    package var address: IPAddress?
    package var requestID: String?
    /// The scopes he has himself.
    package var scopes: Set<String>
    /// The realm his credential is locked to.
    package var realmLock: String?
    /// What his credential is confined to.
    package var bounds: CredentialBounds
    /// May give away scopes, limits and identities that are not his own.
    package var grantsAnything: Bool

    package init(
        method: String?, credential: String? = nil, subject: String? = nil, address: IPAddress? = nil,
        requestID: String? = nil, scopes: Set<String> = [], realmLock: String? = nil, bounds: CredentialBounds = CredentialBounds(),
        grantsAnything: Bool
    ) {
        self.method = method
        self.credential = credential
        self.subject = subject
        self.address = address
        self.requestID = requestID
        self.scopes = scopes
        self.realmLock = realmLock
        self.bounds = bounds
        self.grantsAnything = grantsAnything
    }

    /// Whoever stands at the machine: nothing is withheld from him.
    package static let commandLine = ManagementCaller(method: "command_line", grantsAnything: true)

    /// Nobody asked: the gateway does it by itself.
    package static let gateway = ManagementCaller(method: "gateway", grantsAnything: false)

    /// Those of the scopes that he may not give away.
    func ungrantable(_ scopes: [String]) -> [String] { grantsAnything ? [] : scopes.filter { !self.scopes.contains($0) } }
}
