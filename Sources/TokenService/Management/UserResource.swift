import Core
import Policy
import Store

/// `users`
struct UserResource: ManagedResource {
    static let name = "user"
    static let isRealmBound = false
    static let isInOrganizations = false
    /// Shorter passwords can be tried out (NIST SP 800-63B §5.1.1.2).
    static let shortestPassword = 8
    /// What a sign-in takes.
    static let longestPassword = 255
    let context: ManagementContext
    let call: ManagementCall

    func all() -> [StoredUser] { Array(context.index.users.values) }
    func lookup(_ id: String) -> StoredUser? { context.index.users[id] }
    func id(of record: StoredUser) -> String { record.id }
    func isVisible(_ record: StoredUser) -> Bool { call.configuration.isOwnOnly ? record.id == call.caller.subject : true }

    func filter(_ parameters: inout ParameterReader) throws(ActionRefusal) -> (StoredUser) -> Bool {
        let email = parameters.text("email")?.lowercased()
        return { record in email.map { record.email.utf8.elementsEqual($0.utf8) } ?? true }
    }

    func describe(_ record: StoredUser) -> ObjectText {
        var text = ObjectText(call.configuration.shape.members)
        text.add("id", record.id)
        text.add("email", record.email)
        text.add("name", record.name)
        text.add("scopes", record.scopes)
        text.add("enabled", record.isEnabled)
        text.add("has_password", record.passwordHash != nil)
        text.add("created_at", record.createdAt)
        return text
    }

    func create(_ prepared: inout PreparedCall) throws(ActionRefusal) -> ManagementDecision {
        // Who may touch nobody but himself makes no others.
        guard !call.configuration.isOwnOnly else { throw ActionRefusal(.methodNotAllowed) }
        var content = try content(&prepared)
        let email = content.email(isRequired: true) ?? ""
        var record = StoredUser(
            id: RecordID.make(.user, at: call.now), email: email, name: content.text("name") ?? email, passwordHash: nil,
            createdAt: call.now, tokensValidFrom: WallTime(seconds: call.now.seconds))
        let password = apply(&content, to: &record, prepared.made)
        checkFree(record, &content)
        try close(&content, &prepared)
        try requireGrantable(record.scopes)
        try requireUnbound(record)
        if let work = password.work(after: prepared.made, current: nil) { return ManagementDecision(waitingFor: work) }
        return ManagementDecision(
            status: 201, body: describe(record).closed, changes: [.putUser(record)],
            events: [event("user.created", record.id, label: record.email)])
    }

    func update(_ record: StoredUser, _ prepared: inout PreparedCall) throws(ActionRefusal) -> ManagementDecision {
        var content = try content(&prepared)
        var changed = record
        if content.has("email") { changed.email = content.email(isRequired: true) ?? changed.email }
        if content.has("name") { changed.name = content.requiredText("name") ?? changed.name }
        let password = apply(&content, to: &changed, prepared.made)
        let current = currentPassword(&content, of: record, for: password)
        checkFree(changed, &content)
        try close(&content, &prepared)
        if changed == record { return ManagementDecision(body: describe(record).closed) }
        var narrowed = record
        narrowed.isEnabled = false
        // To lock somebody out takes the route's permission alone; everything else could make a stronger account one's own.
        if changed != narrowed {
            try requireGrantable(record.scopes)
            try requireGrantable(changed.scopes)
            try requireMemberships(of: record)
            try requireUnbound(changed)
        }
        if call.configuration.isOwnOnly, changed.email != record.email || changed.isEnabled != record.isEnabled {
            throw ActionRefusal(.scopeMissing)
        }
        if let work = password.work(after: prepared.made, current: current) { return ManagementDecision(waitingFor: work) }
        let name = changed.passwordHash == record.passwordHash ? "user.updated" : "user.password_changed"
        return ManagementDecision(
            body: describe(changed).closed, changes: [.putUser(changed)],
            events: [event(name, record.id, label: changed.email, changed: prepared.changedNames(Self.name))])
    }

    /// Who can sign in as somebody has his memberships, so the caller has to have them all himself.
    private func requireMemberships(of record: StoredUser) throws(ActionRefusal) {
        if call.caller.grantsAnything || record.id == callingUser?.id { return }
        for membership in memberships(of: record) where !holds(membership.role, membership.identity) {
            throw ActionRefusal(.scopeMissing, messages: ["User has memberships that the caller does not have"])
        }
    }

    /// Who signs in is confined to no address and to no time, so nobody who is confined opens an account that can do anything.
    private func requireUnbound(_ record: StoredUser) throws(ActionRefusal) {
        let bounds = call.caller.bounds
        if call.caller.grantsAnything || bounds.addresses == nil && bounds.expiresAt == nil { return }
        guard record.scopes.isEmpty, memberships(of: record).isEmpty else {
            throw ActionRefusal(
                .scopeMissing, messages: ["User has scopes or memberships, and the caller's credential has bounds that users have not"])
        }
    }

    private func memberships(of record: StoredUser) -> [StoredMembership] {
        context.index.memberships.values.filter { $0.identity.user == record.id }
    }

    /// Reads what making and changing a user have in common.
    private func apply(_ content: inout ParameterReader, to record: inout StoredUser, _ made: MadeMaterial) -> PasswordChange {
        if content.has("scopes") { record.scopes = content.scopes() ?? record.scopes }
        if let isEnabled = content.boolean("enabled") { record.isEnabled = isEnabled }
        guard content.has("password") else { return .none }
        // Tokens of the old password end. The next whole second, since tokens count by seconds.
        record.tokensValidFrom = max(record.tokensValidFrom, WallTime(seconds: call.now.seconds + (record.createdAt == call.now ? 0 : 1)))
        guard let password = content.secretText("password") else {
            record.passwordHash = nil
            return .removed
        }
        if !(Self.shortestPassword...Self.longestPassword ~= password.utf8.count) {
            content.complain("Password must have \(Self.shortestPassword) to \(Self.longestPassword) characters")
        }
        if password.utf8.contains(0) { content.complain("Password contains a zero byte") }
        // Until the hash is made, a text that is none.
        record.passwordHash = made.passwordHash ?? ""
        return .set(password)
    }

    /// Reads the current password. A user who changes the own one has to show it: a stolen key, token or session does not open
    /// the account for good. Where others may change it without, it is checked all the same when it is given.
    private func currentPassword(
        _ content: inout ParameterReader, of record: StoredUser, for change: PasswordChange
    ) -> CostlyWork.ShownPassword? {
        let before = content.messages.count
        let text = content.secretText("current_password", byteLimit: Self.longestPassword)
        guard change != .none else {
            if content.has("current_password") { content.complain("Current password is given without a password to set") }
            return nil
        }
        guard let hash = record.passwordHash else {
            if text != nil { content.complain("Current password is given, and the user has none") }
            return nil
        }
        guard let text else {
            let isOwn = record.id == callingUser?.id && (call.configuration.isOwnOnly || !call.caller.grantsAnything)
            if isOwn || content.has("current_password"), content.messages.count == before {
                content.complain("Current password can't be blank")
            }
            return nil
        }
        return CostlyWork.ShownPassword(text: text, email: record.email, hash: hash)
    }

    func remove(_ record: StoredUser, _ prepared: inout PreparedCall) throws(ActionRefusal) -> ManagementDecision {
        guard !call.configuration.isOwnOnly else { throw ActionRefusal(.methodNotAllowed) }
        try close(&prepared.parameters)
        return ManagementDecision(
            status: 202, body: describe(record).closed, changes: [.removeUser(id: record.id)],
            events: [event("user.deleted", record.id, label: record.email)])
    }

    func perform(
        _ operation: String, on record: StoredUser, _ prepared: inout PreparedCall
    ) throws(ActionRefusal) -> ManagementDecision {
        guard operation == "sign_out" else { throw ActionRefusal(.resourceNotFound) }
        try close(&prepared.parameters)
        var changed = record
        changed.tokensValidFrom = max(record.tokensValidFrom, WallTime(seconds: call.now.seconds + 1))
        let families = context.index.tokenFamilies.values.filter { $0.subject == record.id && $0.key == nil }
        return ManagementDecision(
            body: describe(changed).closed, changes: [.putUser(changed)] + families.map { .removeTokenFamily(id: $0.id) },
            events: [event("user.signed_out", record.id, label: record.email)])
    }

    private func checkFree(_ record: StoredUser, _ content: inout ParameterReader) {
        if let other = context.index.user(email: record.email), other.id != record.id {
            content.complain("Email has already been taken")
        }
    }
}

/// What a call does with a user's password.
private enum PasswordChange: Equatable {
    case none, removed
    case set(String)

    /// What is not made yet of what the change needs.
    func work(after made: MadeMaterial, current: CostlyWork.ShownPassword?) -> CostlyWork? {
        let unproven = current.flatMap { $0.hash == made.provenHash ? nil : $0 }
        switch self {
        case .none: return nil
        case .removed: return unproven.map { .password(new: nil, current: $0) }
        case .set(let password):
            return unproven != nil || made.passwordHash == nil ? .password(new: password, current: unproven) : nil
        }
    }
}

extension ParameterReader {
    /// An e-mail address in small letters: something on both sides of one "@", no white space.
    fileprivate mutating func email(isRequired: Bool) -> String? {
        guard let text = isRequired ? requiredText("email", byteLimit: 254) : text("email", byteLimit: 254) else { return nil }
        let parts = text.split(separator: "@", omittingEmptySubsequences: false)
        guard parts.count == 2, !parts.contains(""), text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else {
            complain("Email is invalid")
            return nil
        }
        return text.lowercased()
    }

    /// Names of scopes (RFC 6749 §3.3).
    mutating func scopes() -> [String]? {
        guard let scopes = texts("scopes", countLimit: APIKeyBounds.scopes) else { return nil }
        guard scopes.allSatisfy({ ScopeSet.isValidName($0.utf8.span) }) else {
            complain("Scopes hold what is no scope")
            return nil
        }
        return scopes
    }
}
