/// One change of a store. `put` adds the record or takes the place of the one with the same identity; removing what is not
/// there changes nothing.
package enum StoreChange: Sendable {
    case putKey(StoredKey)
    /// With the token families that were begun with it.
    case removeKey(id: String)
    case putUser(StoredUser)
    /// With the user's memberships, keys and token families.
    case removeUser(id: String)
    case putOrganization(StoredOrganization)
    /// With its projects and memberships.
    case removeOrganization(id: String)
    case putProject(StoredProject)
    /// With its memberships.
    case removeProject(id: String)
    case putMembership(StoredMembership)
    case removeMembership(StoredMembership.Identity)
    case putSigningKey(StoredSigningKey)
    case removeSigningKey(id: String)
    case putTokenFamily(TokenFamily)
    case removeTokenFamily(id: String)
    case putUpstreamCredential(StoredUpstreamCredential)
    case removeUpstreamCredential(StoredUpstreamCredential.Identity)
}
