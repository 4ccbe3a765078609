package import Core

/// A user as decisions see one.
package struct DirectoryUser: Sendable {
    /// That the user belongs to an organisation, or to one project of it.
    package struct Membership: Sendable, Equatable {
        /// The slugs, as they stand in paths.
        package var organization: String
        /// Nil for every project of the organisation.
        package var project: String?
        package var role: String

        package init(organization: String, project: String?, role: String) {
            self.organization = organization
            self.project = project
            self.role = role
        }
    }

    package var id: String
    package var email: String
    package var name: String
    package var scopes: [String]
    package var isEnabled: Bool
    /// Tokens issued before are refused.
    package var tokensValidFrom: WallTime
    package var memberships: [Membership]

    package init(
        id: String, email: String, name: String, scopes: [String], isEnabled: Bool, tokensValidFrom: WallTime,
        memberships: [Membership]
    ) {
        self.id = id
        self.email = email
        self.name = name
        self.scopes = scopes
        self.isEnabled = isEnabled
        self.tokensValidFrom = tokensValidFrom
        self.memberships = memberships
    }
}
