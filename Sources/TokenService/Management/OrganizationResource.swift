import Core
import Policy
import Store

/// `organizations`
struct OrganizationResource: ManagedResource {
    static let name = "organization"
    static let isRealmBound = false
    static let isInOrganizations = true
    let context: ManagementContext
    let call: ManagementCall

    func all() -> [StoredOrganization] { Array(context.index.organizations.values) }
    func lookup(_ id: String) -> StoredOrganization? { context.index.organizations[id] }
    func id(of record: StoredOrganization) -> String { record.id }
    func isVisible(_ record: StoredOrganization) -> Bool { call.organization.map { $0 == record.slug } ?? true }

    func filter(_ parameters: inout ParameterReader) throws(ActionRefusal) -> (StoredOrganization) -> Bool {
        let slug = parameters.text("slug")
        return { slug == nil || $0.slug == slug }
    }

    func describe(_ record: StoredOrganization) -> ObjectText {
        var text = ObjectText(call.configuration.shape.members)
        text.add("id", record.id)
        text.add("slug", record.slug)
        text.add("name", record.name)
        return text
    }

    func create(_ prepared: inout PreparedCall) throws(ActionRefusal) -> ManagementDecision {
        // Who is confined to one organisation makes no others.
        guard call.organization == nil else { throw ActionRefusal(.methodNotAllowed) }
        var content = try content(&prepared)
        let slug = content.slug(isRequired: true) ?? ""
        let record = StoredOrganization(
            id: RecordID.make(.organization, at: call.now), slug: slug, name: content.text("name") ?? slug)
        checkFree(record, &content)
        try close(&content, &prepared)
        return ManagementDecision(
            status: 201, body: describe(record).closed, changes: [.putOrganization(record)],
            events: [event("organization.created", record.id, label: record.slug)])
    }

    func update(_ record: StoredOrganization, _ prepared: inout PreparedCall) throws(ActionRefusal) -> ManagementDecision {
        var content = try content(&prepared)
        var changed = record
        if content.has("slug") { changed.slug = content.slug(isRequired: true) ?? changed.slug }
        if content.has("name") { changed.name = content.requiredText("name") ?? changed.name }
        // Paths and policies name the slug: who is confined by it does not choose another.
        if call.organization != nil, changed.slug != record.slug { throw ActionRefusal(.membershipMissing) }
        checkFree(changed, &content)
        try close(&content, &prepared)
        return ManagementDecision(
            body: describe(changed).closed, changes: changed == record ? [] : [.putOrganization(changed)],
            events: changed == record
                ? [] : [event("organization.updated", record.id, label: changed.slug, changed: prepared.changedNames(Self.name))])
    }

    func remove(_ record: StoredOrganization, _ prepared: inout PreparedCall) throws(ActionRefusal) -> ManagementDecision {
        guard call.organization == nil else { throw ActionRefusal(.methodNotAllowed) }
        try close(&prepared.parameters)
        return ManagementDecision(
            status: 202, body: describe(record).closed, changes: [.removeOrganization(id: record.id)],
            events: [event("organization.deleted", record.id, label: record.slug)])
    }

    private func checkFree(_ record: StoredOrganization, _ content: inout ParameterReader) {
        if context.index.organizations.values.contains(where: { $0.slug == record.slug && $0.id != record.id }) {
            content.complain("Slug has already been taken")
        }
    }
}

extension ParameterReader {
    /// What stands in paths for an organisation or a project: small letters, digits and "-", at most 63, a letter or digit first.
    mutating func slug(isRequired: Bool) -> String? {
        guard let text = isRequired ? requiredText("slug") : text("slug") else { return nil }
        let bytes = text.utf8
        let isValid =
            bytes.count <= 63 && bytes.first != 0x2D
            && bytes.allSatisfy { $0.isDigit || $0 &- 0x61 < 26 || $0 == 0x2D }
        guard isValid else {
            complain("Slug is invalid: small letters, digits and - are expected")
            return nil
        }
        return text
    }
}

extension PreparedCall {
    /// The names of the members that the content carries for a record, for events.
    func changedNames(_ name: String) -> [String] {
        var copy = self
        return copy.content(named: name)?.names ?? []
    }
}
