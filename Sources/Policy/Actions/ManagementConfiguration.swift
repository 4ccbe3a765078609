package import Core

/// A `manage` action: which records a route is about, and how far its callers may go.
package struct ManagementConfiguration: Sendable {
    /// What the route manages.
    package enum Resource: String, Sendable, CaseIterable {
        case apiKeys = "api_keys"
        case jwtKeys = "jwt_keys"
        case users = "users"
        case organizations = "organizations"
        case projects = "projects"
        case memberships = "memberships"
    }

    package var resource: Resource
    /// The authenticator whose keys are managed; there exactly for API keys.
    package var authenticator: Located<String>?
    /// The key set whose keys are managed; there exactly for JWT keys.
    package var keySet: Located<String>?
    /// How long a replaced JWT key still verifies.
    package var retireAfter: Nanoseconds = .seconds(4 * 3600)
    /// How long the secrets of a rotated API key stay valid, unless the call says otherwise.
    package var overlap: Nanoseconds = 0
    /// The realm of requests that name none.
    package var realm: String?
    /// Callers see and change their own records alone.
    package var isOwnOnly = false
    /// Callers may give away scopes, limits and identities that are not their own.
    package var grantsAnything = false
    /// How contents and answers look.
    package var shape = ManagementShape()
    /// The last segment of a path that means the caller's own record: the key that was shown or that is behind the caller's
    /// token, or the user. Nil has none.
    package var current: String?
    /// A new API key whose content names no scopes has the caller's.
    package var inheritsScopes = false
    /// API keys may be made without a name.
    package var namesAreOptional = false
    /// API keys that exist elsewhere may be brought in by their digests. A caller who may do so learns which digests are taken.
    package var mayImport = false
    /// The scope that lets a caller read the private halves of JWT keys; nil lets nobody.
    package var privateKeyScope: String?

    package init(resource: Resource) {
        self.resource = resource
    }
}
