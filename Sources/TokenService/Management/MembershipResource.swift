import Core
import Policy
import Store

/// `memberships` of users in organisations and projects. The id of one is made of the ids of what it joins:
/// `USER.ORGANIZATION` or `USER.ORGANIZATION.PROJECT`.
struct MembershipResource: ManagedResource {
    static let name = "membership"
    static let isRealmBound = false
    static let isInOrganizations = true
    let context: ManagementContext
    let call: ManagementCall

    func all() -> [StoredMembership] { Array(context.index.memberships.values) }

    func lookup(_ id: String) -> StoredMembership? {
        let parts = id.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
        guard 2...3 ~= parts.count else { return nil }
        let identity = StoredMembership.Identity(
            user: parts[0], organization: parts[1], project: parts.count > 2 ? parts[2] : nil)
        return context.index.memberships[identity]
    }

    func id(of record: StoredMembership) -> String {
        let identity = record.identity
        return "\(identity.user).\(identity.organization)" + (identity.project.map { "." + $0 } ?? "")
    }

    func isVisible(_ record: StoredMembership) -> Bool {
        call.organization.map { $0 == context.index.organizations[record.identity.organization]?.slug } ?? true
    }

    func filter(_ parameters: inout ParameterReader) throws(ActionRefusal) -> (StoredMembership) -> Bool {
        let user = parameters.text("user_id")
        let organization = parameters.text("organization_id")
        let project = parameters.text("project_id")
        return {
            (user == nil || $0.identity.user == user) && (organization == nil || $0.identity.organization == organization)
                && (project == nil || $0.identity.project == project)
        }
    }

    func describe(_ record: StoredMembership) -> ObjectText {
        var text = ObjectText(call.configuration.shape.members)
        text.add("id", id(of: record))
        text.add("user_id", record.identity.user)
        text.add("organization_id", record.identity.organization)
        text.add(optional: "project_id", record.identity.project)
        text.add("role", record.role)
        return text
    }

    func create(_ prepared: inout PreparedCall) throws(ActionRefusal) -> ManagementDecision {
        var content = try content(&prepared)
        let organization = try organization(&content)
        let user = content.requiredText("user_id")
        if let user, context.index.users[user] == nil { content.complain("User does not exist") }
        let project = content.text("project_id")
        if let project, context.index.projects[project].map({ $0.organization != organization?.id }) ?? true {
            content.complain("Project does not exist")
        }
        let record = StoredMembership(
            identity: StoredMembership.Identity(user: user ?? "", organization: organization?.id ?? "", project: project),
            role: content.role() ?? "member")
        if context.index.memberships[record.identity] != nil { content.complain("Membership exists already") }
        try close(&content, &prepared)
        try requireRole(of: record)
        return ManagementDecision(
            status: 201, body: describe(record).closed, changes: [.putMembership(record)],
            events: [event("membership.created", id(of: record), label: record.role)])
    }

    func update(_ record: StoredMembership, _ prepared: inout PreparedCall) throws(ActionRefusal) -> ManagementDecision {
        var content = try content(&prepared)
        var changed = record
        if content.has("role") { changed.role = content.role() ?? changed.role }
        try close(&content, &prepared)
        try requireRole(of: record)
        try requireRole(of: changed)
        return ManagementDecision(
            body: describe(changed).closed, changes: changed == record ? [] : [.putMembership(changed)],
            events: changed == record ? [] : [event("membership.updated", id(of: record), label: changed.role, changed: ["role"])])
    }

    func remove(_ record: StoredMembership, _ prepared: inout PreparedCall) throws(ActionRefusal) -> ManagementDecision {
        try close(&prepared.parameters)
        try requireRole(of: record)
        return ManagementDecision(
            status: 202, body: describe(record).closed, changes: [.removeMembership(record.identity)],
            events: [event("membership.deleted", id(of: record), label: record.role)])
    }

    /// Roles have no order: who has not a role himself neither gives nor takes it.
    private func requireRole(of record: StoredMembership) throws(ActionRefusal) {
        guard call.caller.grantsAnything || holds(record.role, record.identity) else {
            throw ActionRefusal(.scopeMissing, messages: ["Role is \(record.role), which the caller does not have there"])
        }
    }
}

extension ParameterReader {
    /// A role, as routes ask for it; nil where it is missing.
    mutating func role() -> String? {
        guard let text = text("role", byteLimit: 64) else { return nil }
        guard ScopeSet.isValidName(text.utf8.span) else {
            complain("Role is invalid")
            return nil
        }
        return text
    }
}
