import Core

/// What the user behind a credential has to belong to.
struct MembershipRule: Sendable {
    /// The organisation's slug.
    let organization: ValueTemplate
    /// The project's slug; nil asks for a membership in the whole organisation.
    let project: ValueTemplate?
    /// Empty takes any role.
    let roles: [String]

    /// Somebody who belongs to a whole organisation belongs to each of its projects; the other way round does not hold.
    /// - Parameter scratch: for the slugs.
    func admits(_ user: DirectoryUser, _ source: TemplateSource, path: Span<UInt8>, scratch: inout [UInt8]) -> Bool {
        let none: [UInt8] = []
        scratch.removeAll(keepingCapacity: true)
        guard organization.render(source, path: path, requestID: none.span, form: .exact, to: &scratch) else { return false }
        let boundary = scratch.count
        if let project, !project.render(source, path: path, requestID: none.span, form: .exact, to: &scratch) { return false }
        for membership in user.memberships {
            guard membership.organization.utf8.span.equals(scratch.span.extracting(0..<boundary)) else { continue }
            guard roles.isEmpty || roles.containsExactly(membership.role) else { continue }
            guard let slug = membership.project else { return true }
            if project != nil, slug.utf8.span.equals(scratch.span.extracting(boundary..<scratch.count)) { return true }
        }
        return false
    }
}
