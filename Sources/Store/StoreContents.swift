/// Everything a store holds, as of one revision.
package struct StoreContents: Sendable {
    package var revision: Int64 = 0
    package var keys: [StoredKey] = []
    package var users: [StoredUser] = []
    package var organizations: [StoredOrganization] = []
    package var projects: [StoredProject] = []
    package var memberships: [StoredMembership] = []
    package var signingKeys: [StoredSigningKey] = []
    package var tokenFamilies: [TokenFamily] = []
    package var upstreamCredentials: [StoredUpstreamCredential] = []

    package init() {}
}
