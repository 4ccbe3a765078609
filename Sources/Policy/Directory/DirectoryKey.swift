package import Core

/// A stored API key as tables are made of it.
package struct DirectoryKey: Sendable {
    package var id: String
    /// Whom it stands for: a user's id where it has an owner.
    package var subject: String
    /// The user whose state and scopes bound it; nil for a key of nobody in particular.
    package var owner: String?
    package var secrets: [APIKeyConfiguration.Secret]
    package var scopes: [String]
    /// Empty allows every address.
    package var allowedAddresses: [CIDRBlock]
    /// Names of limits that replace the route's. Where a policy does not know one of them, the route's apply.
    package var limits: [String]
    /// The realm it is locked to.
    package var realm: String?
    package var isEnabled: Bool

    package init(
        id: String, subject: String, owner: String? = nil, secrets: [APIKeyConfiguration.Secret], scopes: [String] = [],
        allowedAddresses: [CIDRBlock] = [], limits: [String] = [], realm: String? = nil, isEnabled: Bool = true
    ) {
        self.id = id
        self.subject = subject
        self.owner = owner
        self.secrets = secrets
        self.scopes = scopes
        self.allowedAddresses = allowedAddresses
        self.limits = limits
        self.realm = realm
        self.isEnabled = isEnabled
    }
}
