import Core
import Policy
import Store

/// `api_keys` of one authenticator.
///
/// Four rules keep a caller from making himself more than he is, unless the route lets him grant anything: a key gets no
/// scope that he lacks; who may do no more than a key's scopes may not get at its secret, widen it or move it; what
/// his own credential is confined to confines the secrets he gets and the keys he widens; and a key made by a user is
/// that user's, and one made under a realm's lock is under it too.
struct APIKeyResource: ManagedResource {
    static let name = "api_key"
    static let isRealmBound = true
    static let isInOrganizations = false
    /// Keys that a user may make for himself: the store is everybody's.
    static let ownKeyLimit = 100
    let context: ManagementContext
    let call: ManagementCall

    private var authenticator: String { call.configuration.authenticator?.value ?? "" }

    func all() -> [StoredKey] { Array(context.index.keys.values) }
    func lookup(_ id: String) -> StoredKey? { context.index.keys[id] }
    func id(of record: StoredKey) -> String { record.id }

    func isVisible(_ record: StoredKey) -> Bool {
        guard record.authenticator == authenticator else { return false }
        if let lock = call.caller.realmLock, record.realm != lock { return false }
        guard call.configuration.isOwnOnly else { return true }
        // A key that is no user's has no other keys of its own.
        return record.id == call.caller.key?.id || record.owner != nil && record.owner == callingUser?.id
    }

    func filter(_ parameters: inout ParameterReader) throws(ActionRefusal) -> (StoredKey) -> Bool {
        let owner = parameters.text("user_id")
        let realm = parameters.text("realm")
        let unused = parameters.duration("unused_for")
        let old = parameters.duration("older_than")
        let usage = context.usage
        let now = call.now
        return { key in
            if let owner, key.owner != owner { return false }
            if let realm, key.realm != realm { return false }
            if let old, age(of: key) < old { return false }
            guard let unused else { return true }
            return (usage(key.id)?.lastUsedAt ?? key.createdAt) <= now.advanced(by: 0 - unused)
        }
    }

    /// Since the newest secret was made: when the key was made, or rotated last.
    private func age(of record: StoredKey) -> Nanoseconds {
        let made = record.secrets.map(\.createdAt).max() ?? record.createdAt
        return max(call.now.nanoseconds &- made.nanoseconds, 0)
    }

    func describe(_ record: StoredKey) -> ObjectText { describe(record, secret: nil) }

    private func describe(_ record: StoredKey, secret: [UInt8]?) -> ObjectText {
        let usage = context.usage(record.id)
        var text = ObjectText(call.configuration.shape.members)
        text.add("id", record.id)
        text.add(optional: "name", record.name.isEmpty ? nil : record.name)
        if let secret { text.add("key", String(decoding: secret, as: UTF8.self)) }
        text.add("subject", record.subject)
        text.add(optional: "user_id", record.owner)
        text.add("scopes", record.scopes)
        text.add("allow_ips", record.allowedAddresses.map(\.description))
        text.add("limits", record.limits)
        text.add(optional: "realm", record.realm)
        text.add("enabled", record.isEnabled)
        text.add("created_at", record.createdAt)
        text.add("age_days", age(of: record) / 86_400_000_000_000)
        text.add("last_used_at", usage?.lastUsedAt)
        text.add("use_count", usage?.count ?? 0)
        var secrets: [UInt8] = [0x5B]
        for (index, secret) in record.secrets.enumerated() {
            if index > 0 { secrets.append(0x2C) }
            var one = ObjectText()
            // As access logs name it.
            one.add("fingerprint", String(secret.digest.hex.prefix(8)))
            one.add("created_at", secret.createdAt)
            one.add("expires_at", secret.expiresAt)
            secrets += one.closed
        }
        text.add(json: "secrets", secrets + [0x5D])
        return text
    }

    // MARK: Making

    func create(_ prepared: inout PreparedCall) throws(ActionRefusal) -> ManagementDecision {
        guard let maker = context.keyMaker(authenticator) else { throw ActionRefusal(.storeUnavailable) }
        var content = try content(&prepared)
        let id = RecordID.make(.apiKey, at: call.now)
        let name = name(&content)
        let owner = try owner(&content)
        let subject = content.text("subject", byteLimit: APIKeyBounds.subjectBytes)
        if let subject, let owner, subject != owner.id { content.complain("Subject of a user's key is the user") }
        let imported = importedDigest(&content, maker)
        let secret = imported.map { (text: nil, digest: $0) } ?? Self.newSecret(maker)
        let lifetime = content.duration("expires_in")
        var record = StoredKey(
            id: id, authenticator: authenticator, name: name, subject: owner?.id ?? subject ?? id, owner: owner?.id,
            realm: try realm(&content), createdAt: call.now,
            secrets: [
                StoredKey.Secret(
                    digest: secret.digest, createdAt: call.now, expiresAt: lifetime.map { call.now.advanced(by: $0) })
            ])
        apply(&content, to: &record)
        if !content.has("scopes") { record.scopes = inheritedScopes(&content) }
        if call.configuration.isOwnOnly, all().count(where: isVisible) >= Self.ownKeyLimit {
            content.complain("Keys of one user are limited to \(Self.ownKeyLimit)")
        }
        try close(&content, &prepared)
        if record.subject != owner?.id, record.subject != id { try requireAnyGrant("Subject") }
        if !record.limits.isEmpty { try requireAnyGrant("Limits") }
        try requireGrantable(record.scopes)
        try confine(&record)
        return ManagementDecision(
            status: 201, body: describe(record, secret: secret.text).closed, changes: [.putKey(record)],
            events: [event("api_key.created", of: record, cause: imported == nil ? nil : "api_key.imported")],
            showsSecret: imported == nil)
    }

    private func event(_ name: String, of record: StoredKey, cause: String? = nil, changed: [String] = []) -> AuditEvent {
        var event = event(name, record.id, label: record.name.isEmpty ? nil : record.name, changed: changed)
        event.cause = cause
        return event
    }

    private static func newSecret(_ maker: KeyMaker) -> (text: [UInt8]?, digest: Digest256) {
        let secret = maker.makeSecret()
        return (secret.text, secret.digest)
    }

    /// The scopes of a new key whose content names none.
    private func inheritedScopes(_ content: inout ParameterReader) -> [String] {
        guard call.configuration.inheritsScopes else { return [] }
        let scopes = call.caller.scopes.filter { ScopeSet.isValidName($0.utf8.span) }.sorted()
        if scopes.count > APIKeyBounds.scopes { content.complain("Scopes of the caller are more than \(APIKeyBounds.scopes)") }
        return scopes
    }

    /// Empty where a name is not asked for and none is given.
    private func name(_ content: inout ParameterReader) -> String {
        (call.configuration.namesAreOptional ? content.text("name") : content.requiredText("name")) ?? ""
    }

    /// The user who is to own a new key: the caller, if he is one, or whom he names when he may.
    private func owner(_ content: inout ParameterReader) throws(ActionRefusal) -> StoredUser? {
        let named = content.text("user_id")
        let own = callingUser
        if call.configuration.isOwnOnly {
            guard let own else { throw ActionRefusal(.scopeMissing, messages: ["Only users have keys of their own"]) }
            if let named, named != own.id { content.complain("User is not the caller") }
            return own
        }
        guard let named, named != own?.id else {
            // Who may grant anything may also make keys of nobody.
            return named == nil && call.caller.grantsAnything ? nil : own
        }
        try requireAnyGrant("User")
        guard let user = context.index.users[named] else {
            content.complain("User does not exist")
            return nil
        }
        return user
    }

    private func realm(_ content: inout ParameterReader) throws(ActionRefusal) -> String? {
        let named = content.text("realm")
        guard let lock = call.caller.realmLock else { return named }
        if let named, named != lock { throw ActionRefusal(.realmNotAllowed) }
        return lock
    }

    /// Reads what making and changing a key have in common.
    private func apply(_ content: inout ParameterReader, to record: inout StoredKey) {
        if content.has("scopes") { record.scopes = content.scopes() ?? record.scopes }
        if let limits = content.texts("limits", countLimit: 8) { record.limits = limits }
        if let isEnabled = content.boolean("enabled") { record.isEnabled = isEnabled }
        guard let texts = content.texts("allow_ips", countLimit: APIKeyBounds.addressBlocks) else { return }
        record.allowedAddresses = []
        for text in texts {
            if let block = CIDRBlock(text) {
                record.allowedAddresses.append(block)
            } else {
                content.complain("Allow ips holds what is no address and no network")
                return
            }
        }
    }

    // MARK: Changing

    func update(_ record: StoredKey, _ prepared: inout PreparedCall) throws(ActionRefusal) -> ManagementDecision {
        var content = try content(&prepared)
        var changed = record
        if content.has("name") { changed.name = name(&content) }
        apply(&content, to: &changed)
        try close(&content, &prepared)
        if changed == record { return ManagementDecision(body: describe(record).closed) }
        var harmless = record
        harmless.name = changed.name
        if !changed.isEnabled { harmless.isEnabled = false }
        if changed != harmless {
            try requireGrantable(record.scopes)
            try requireGrantable(changed.scopes)
            try requireWidenable(record, to: changed)
        }
        if changed.limits != record.limits { try requireAnyGrant("Limits") }
        return ManagementDecision(
            body: describe(changed).closed, changes: [.putKey(changed)],
            events: [event("api_key.updated", of: changed, changed: prepared.changedNames(Self.name))])
    }

    func remove(_ record: StoredKey, _ prepared: inout PreparedCall) throws(ActionRefusal) -> ManagementDecision {
        try close(&prepared.parameters)
        return ManagementDecision(
            status: 202, body: describe(record).closed, changes: [.removeKey(id: record.id)],
            events: [event("api_key.revoked", of: record)])
    }

    func perform(
        _ operation: String, on record: StoredKey, _ prepared: inout PreparedCall
    ) throws(ActionRefusal) -> ManagementDecision {
        guard operation == "rotate" else { throw ActionRefusal(.resourceNotFound) }
        guard let maker = context.keyMaker(authenticator) else { throw ActionRefusal(.storeUnavailable) }
        // The content may be left out altogether.
        var content = prepared.content(named: Self.name) ?? ParameterReader()
        let overlap = content.duration("overlap") ?? call.configuration.overlap
        let lifetime = content.duration("expires_in")
        try close(&content, &prepared)
        // Whoever gets the new secret can do what the key can.
        try requireGrantable(record.scopes)
        try requireOwn(record, "secret")
        var changed = record
        let end = call.now.advanced(by: overlap)
        changed.secrets = record.secrets.compactMap { old in
            var old = old
            old.expiresAt = min(old.expiresAt ?? .distantFuture, end)
            return old.expiresAt.map { $0 > call.now } ?? true ? old : nil
        }
        guard changed.secrets.count < APIKeyBounds.secrets else {
            throw ActionRefusal(.resourceConflict, messages: ["Too many secrets of the key are still valid"])
        }
        let secret = maker.makeSecret()
        let expiresAt = lifetime.map { call.now.advanced(by: $0) } ?? boundEnd
        try requireBounds(of: record, endingAt: expiresAt)
        changed.secrets.insert(StoredKey.Secret(digest: secret.digest, createdAt: call.now, expiresAt: expiresAt), at: 0)
        return ManagementDecision(
            body: describe(changed, secret: secret.text).closed, changes: [.putKey(changed)],
            events: [event("api_key.rotated", of: record)], showsSecret: true)
    }
}
