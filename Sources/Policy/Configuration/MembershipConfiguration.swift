/// What the user behind a credential has to belong to.
package struct MembershipConfiguration: Sendable {
    /// Template of the organisation's slug.
    package var organization: Located<String>
    /// Template of the project's slug; nil asks for the whole organisation.
    package var project: Located<String>?
    /// Any of these; empty takes every role.
    package var roles: [String]

    package init(organization: Located<String>, project: Located<String>? = nil, roles: [String] = []) {
        self.organization = organization
        self.project = project
        self.roles = roles
    }
}
