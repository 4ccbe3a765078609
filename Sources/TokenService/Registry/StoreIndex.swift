import Core
package import Store

/// Everything the store holds, in memory and by identity: what decisions about changes are made from.
package struct StoreIndex: Sendable {
    package private(set) var keys: [String: StoredKey] = [:]
    package private(set) var users: [String: StoredUser] = [:]
    /// User ids by the bytes of their e-mail addresses: texts that Unicode takes for the same are two addresses, as they are to
    /// the budget of an account and to the database.
    private var usersByEmail: [[UInt8]: String] = [:]
    package private(set) var organizations: [String: StoredOrganization] = [:]
    package private(set) var projects: [String: StoredProject] = [:]
    package private(set) var memberships: [StoredMembership.Identity: StoredMembership] = [:]
    package private(set) var signingKeys: [String: StoredSigningKey] = [:]
    package private(set) var tokenFamilies: [String: TokenFamily] = [:]
    /// Ids of token families by whom they were begun for.
    private var familiesByParent: [TokenFamily.Parent: Set<String>] = [:]
    package private(set) var upstreamCredentials: [StoredUpstreamCredential.Identity: StoredUpstreamCredential] = [:]

    package init() {}

    package init(_ contents: StoreContents) {
        keys = Self.index(contents.keys, by: \.id)
        users = Self.index(contents.users, by: \.id)
        indexEmails()
        organizations = Self.index(contents.organizations, by: \.id)
        projects = Self.index(contents.projects, by: \.id)
        memberships = Self.index(contents.memberships, by: \.identity)
        signingKeys = Self.index(contents.signingKeys, by: \.id)
        tokenFamilies = Self.index(contents.tokenFamilies, by: \.id)
        for family in tokenFamilies.values { familiesByParent[family.parent, default: []].insert(family.id) }
        upstreamCredentials = Self.index(contents.upstreamCredentials, by: \.identity)
    }

    /// Takes changes back.
    /// - Parameter undo: what `apply` appended.
    mutating func takeBack(_ undo: [StoreChange]) {
        var redo: [StoreChange] = []
        for change in undo.reversed() { apply(change, undo: &redo) }
        // Two users may have had one address meanwhile.
        indexEmails()
    }

    private mutating func indexEmails() {
        usersByEmail = Dictionary(users.values.map { (Array($0.email.utf8), $0.id) }) { first, _ in first }
    }

    private static func index<Identity: Hashable, Record>(
        _ records: [Record], by identity: (Record) -> Identity
    ) -> [Identity: Record] {
        Dictionary(records.map { (identity($0), $0) }) { first, _ in first }
    }

    /// The user with an e-mail address, whatever its case.
    package func user(email: String) -> StoredUser? { usersByEmail[Array(email.lowercased().utf8)].flatMap { users[$0] } }

    /// The families that were begun with one key, or by one user's sign-ins.
    package func tokenFamilies(of parent: TokenFamily.Parent) -> [TokenFamily] {
        (familiesByParent[parent] ?? []).compactMap { tokenFamilies[$0] }
    }

    /// The live and the replaced signing keys of a set, the newest first.
    package func signingKeys(of keySet: String, realm: String? = nil) -> [StoredSigningKey] {
        signingKeys.values.filter { $0.keySet == keySet && $0.realm == realm }.sorted {
            ($0.createdAt, $0.id) > ($1.createdAt, $1.id)
        }
    }

    /// Makes one change, cascades included, and appends what would take it back, in the order to do it in.
    mutating func apply(_ change: StoreChange, undo: inout [StoreChange]) {
        switch change {
        case .putKey(let key):
            undo.append(keys.updateValue(key, forKey: key.id).map { .putKey($0) } ?? .removeKey(id: key.id))
        case .removeKey(let id):
            if let old = keys.removeValue(forKey: id) { undo.append(.putKey(old)) }
            for family in familiesByParent[.key(id)] ?? [] { remove(family: family, undo: &undo) }
        case .putUser(let user): put(user, undo: &undo)
        case .removeUser(let id): removeUser(id, undo: &undo)
        case .putOrganization(let organization):
            let old = organizations.updateValue(organization, forKey: organization.id)
            undo.append(old.map { .putOrganization($0) } ?? .removeOrganization(id: organization.id))
        case .removeOrganization(let id): removeOrganization(id, undo: &undo)
        case .putProject(let project):
            let old = projects.updateValue(project, forKey: project.id)
            undo.append(old.map { .putProject($0) } ?? .removeProject(id: project.id))
        case .removeProject(let id): removeProject(id, undo: &undo)
        case .putMembership(let membership):
            let old = memberships.updateValue(membership, forKey: membership.identity)
            undo.append(old.map { .putMembership($0) } ?? .removeMembership(membership.identity))
        case .removeMembership(let identity):
            if let old = memberships.removeValue(forKey: identity) { undo.append(.putMembership(old)) }
        case .putSigningKey(let key):
            let old = signingKeys.updateValue(key, forKey: key.id)
            undo.append(old.map { .putSigningKey($0) } ?? .removeSigningKey(id: key.id))
        case .removeSigningKey(let id):
            if let old = signingKeys.removeValue(forKey: id) { undo.append(.putSigningKey(old)) }
        case .putTokenFamily(let family): put(family, undo: &undo)
        case .removeTokenFamily(let id): remove(family: id, undo: &undo)
        case .putUpstreamCredential(let credential):
            let old = upstreamCredentials.updateValue(credential, forKey: credential.identity)
            undo.append(old.map { .putUpstreamCredential($0) } ?? .removeUpstreamCredential(credential.identity))
        case .removeUpstreamCredential(let identity):
            if let old = upstreamCredentials.removeValue(forKey: identity) { undo.append(.putUpstreamCredential(old)) }
        }
    }

    // MARK: Token families

    private mutating func put(_ family: TokenFamily, undo: inout [StoreChange]) {
        let old = tokenFamilies.updateValue(family, forKey: family.id)
        if let old { forget(old) }
        familiesByParent[family.parent, default: []].insert(family.id)
        undo.append(old.map { .putTokenFamily($0) } ?? .removeTokenFamily(id: family.id))
    }

    private mutating func remove(family id: String, undo: inout [StoreChange]) {
        guard let old = tokenFamilies.removeValue(forKey: id) else { return }
        forget(old)
        undo.append(.putTokenFamily(old))
    }

    private mutating func forget(_ family: TokenFamily) {
        familiesByParent[family.parent]?.remove(family.id)
        if familiesByParent[family.parent]?.isEmpty ?? false { familiesByParent[family.parent] = nil }
    }

    // MARK: Users

    private mutating func put(_ user: StoredUser, undo: inout [StoreChange]) {
        let old = users.updateValue(user, forKey: user.id)
        if let old { usersByEmail[Array(old.email.utf8)] = nil }
        usersByEmail[Array(user.email.utf8)] = user.id
        undo.append(old.map { .putUser($0) } ?? .removeUser(id: user.id))
    }

    private mutating func removeUser(_ id: String, undo: inout [StoreChange]) {
        guard let old = users.removeValue(forKey: id) else { return }
        usersByEmail[Array(old.email.utf8)] = nil
        undo.append(.putUser(old))
        for identity in memberships.keys where identity.user == id { apply(.removeMembership(identity), undo: &undo) }
        for family in tokenFamilies.values {
            let owner = family.key.flatMap { keys[$0]?.owner }
            if family.subject == id || owner == id { apply(.removeTokenFamily(id: family.id), undo: &undo) }
        }
        for key in keys.values where key.owner == id { apply(.removeKey(id: key.id), undo: &undo) }
    }

    // MARK: Organisations

    private mutating func removeOrganization(_ id: String, undo: inout [StoreChange]) {
        guard let old = organizations.removeValue(forKey: id) else { return }
        undo.append(.putOrganization(old))
        for project in projects.values where project.organization == id { removeProject(project.id, undo: &undo) }
        for identity in memberships.keys where identity.organization == id {
            apply(.removeMembership(identity), undo: &undo)
        }
    }

    private mutating func removeProject(_ id: String, undo: inout [StoreChange]) {
        guard let old = projects.removeValue(forKey: id) else { return }
        undo.append(.putProject(old))
        for identity in memberships.keys where identity.project == id {
            apply(.removeMembership(identity), undo: &undo)
        }
    }
}
