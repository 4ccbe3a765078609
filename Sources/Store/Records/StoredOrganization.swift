/// An organisation that users belong to.
package struct StoredOrganization: Sendable, Equatable {
    package var id: String
    /// As it stands in paths; no two share one.
    package var slug: String
    package var name: String

    package init(id: String, slug: String, name: String) {
        self.id = id
        self.slug = slug
        self.name = name
    }
}

/// A project of an organisation.
package struct StoredProject: Sendable, Equatable {
    package var id: String
    /// The organisation's id.
    package var organization: String
    /// As it stands in paths; no two of one organisation share one.
    package var slug: String
    package var name: String

    package init(id: String, organization: String, slug: String, name: String) {
        self.id = id
        self.organization = organization
        self.slug = slug
        self.name = name
    }
}

/// That a user belongs to an organisation, or to one project of it.
package struct StoredMembership: Sendable, Equatable {
    /// What tells memberships apart.
    package struct Identity: Sendable, Hashable {
        package var user: String
        package var organization: String
        /// Nil for the whole organisation.
        package var project: String?

        package init(user: String, organization: String, project: String?) {
            self.user = user
            self.organization = organization
            self.project = project
        }
    }

    /// The ids of user, organisation and project. Without a project the member sees every project.
    package var identity: Identity
    /// "member", "admin" or whatever the operator's routes ask for.
    package var role: String

    package init(identity: Identity, role: String) {
        self.identity = identity
        self.role = role
    }
}
