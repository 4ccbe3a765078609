import Core
import Policy
import Store

/// `projects` of organisations.
struct ProjectResource: ManagedResource {
    static let name = "project"
    static let isRealmBound = false
    static let isInOrganizations = true
    let context: ManagementContext
    let call: ManagementCall

    func all() -> [StoredProject] { Array(context.index.projects.values) }
    func lookup(_ id: String) -> StoredProject? { context.index.projects[id] }
    func id(of record: StoredProject) -> String { record.id }

    func isVisible(_ record: StoredProject) -> Bool {
        call.organization.map { $0 == context.index.organizations[record.organization]?.slug } ?? true
    }

    func filter(_ parameters: inout ParameterReader) throws(ActionRefusal) -> (StoredProject) -> Bool {
        let organization = parameters.text("organization_id")
        let slug = parameters.text("slug")
        return { (organization == nil || $0.organization == organization) && (slug == nil || $0.slug == slug) }
    }

    func describe(_ record: StoredProject) -> ObjectText {
        var text = ObjectText(call.configuration.shape.members)
        text.add("id", record.id)
        text.add("organization_id", record.organization)
        text.add("slug", record.slug)
        text.add("name", record.name)
        return text
    }

    func create(_ prepared: inout PreparedCall) throws(ActionRefusal) -> ManagementDecision {
        var content = try content(&prepared)
        let organization = try organization(&content)
        let slug = content.slug(isRequired: true) ?? ""
        let record = StoredProject(
            id: RecordID.make(.project, at: call.now), organization: organization?.id ?? "", slug: slug,
            name: content.text("name") ?? slug)
        checkFree(record, &content)
        try close(&content, &prepared)
        return ManagementDecision(
            status: 201, body: describe(record).closed, changes: [.putProject(record)],
            events: [event("project.created", record.id, label: record.slug)])
    }

    func update(_ record: StoredProject, _ prepared: inout PreparedCall) throws(ActionRefusal) -> ManagementDecision {
        var content = try content(&prepared)
        var changed = record
        if content.has("slug") { changed.slug = content.slug(isRequired: true) ?? changed.slug }
        if content.has("name") { changed.name = content.requiredText("name") ?? changed.name }
        checkFree(changed, &content)
        try close(&content, &prepared)
        return ManagementDecision(
            body: describe(changed).closed, changes: changed == record ? [] : [.putProject(changed)],
            events: changed == record
                ? [] : [event("project.updated", record.id, label: changed.slug, changed: prepared.changedNames(Self.name))])
    }

    func remove(_ record: StoredProject, _ prepared: inout PreparedCall) throws(ActionRefusal) -> ManagementDecision {
        try close(&prepared.parameters)
        return ManagementDecision(
            status: 202, body: describe(record).closed, changes: [.removeProject(id: record.id)],
            events: [event("project.deleted", record.id, label: record.slug)])
    }

    private func checkFree(_ record: StoredProject, _ content: inout ParameterReader) {
        let isTaken = context.index.projects.values.contains {
            $0.organization == record.organization && $0.slug == record.slug && $0.id != record.id
        }
        if isTaken { content.complain("Slug has already been taken") }
    }
}

extension ManagedResource {
    /// The organisation that a content names by id, or the one of the path.
    func organization(_ content: inout ParameterReader) throws(ActionRefusal) -> StoredOrganization? {
        let named = content.text("organization_id")
        if let slug = call.organization {
            guard let own = context.index.organizations.values.first(where: { $0.slug == slug }) else {
                throw ActionRefusal(.resourceNotFound)
            }
            if let named, named != own.id { content.complain("Organization is not the one of the path") }
            return own
        }
        guard let named else {
            content.complain("Organization can't be blank")
            return nil
        }
        guard let organization = context.index.organizations[named] else {
            content.complain("Organization does not exist")
            return nil
        }
        return organization
    }
}
