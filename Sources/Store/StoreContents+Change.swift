extension StoreContents {
    /// Makes one change as every store makes it, with what goes along with a removal. Linear in what is held.
    ///
    /// Throws `.inconsistent` for an email or a slug that another has and for a reference to what is not there.
    package mutating func apply(_ change: StoreChange) throws(StoreFault) {
        switch change {
        case .putKey(let key):
            try require(key.owner.map { owner in users.contains { $0.id == owner } } ?? true, "a key's owner is no user")
            keys.put(key) { $0.id == key.id }
        case .removeKey(let id):
            keys.removeAll { $0.id == id }
            tokenFamilies.removeAll { $0.key == id }
        case .putUser(let user):
            let isTaken = users.contains { $0.email.utf8.elementsEqual(user.email.utf8) && $0.id != user.id }
            try require(!isTaken, "the email is another user's")
            users.put(user) { $0.id == user.id }
        case .removeUser(let id): removeUser(id)
        case .putOrganization(let organization):
            let isTaken = organizations.contains { $0.slug == organization.slug && $0.id != organization.id }
            try require(!isTaken, "the slug is another organisation's")
            organizations.put(organization) { $0.id == organization.id }
        case .removeOrganization(let id):
            organizations.removeAll { $0.id == id }
            let gone = Set(projects.filter { $0.organization == id }.map(\.id))
            projects.removeAll { $0.organization == id }
            memberships.removeAll { $0.identity.organization == id || gone.contains($0.identity.project ?? "") }
        case .putProject(let project): try put(project)
        case .removeProject(let id):
            projects.removeAll { $0.id == id }
            memberships.removeAll { $0.identity.project == id }
        case .putMembership(let membership): try put(membership)
        case .removeMembership(let identity): memberships.removeAll { $0.identity == identity }
        case .putSigningKey(let key): signingKeys.put(key) { $0.id == key.id }
        case .removeSigningKey(let id): signingKeys.removeAll { $0.id == id }
        case .putTokenFamily(let family): tokenFamilies.put(family) { $0.id == family.id }
        case .removeTokenFamily(let id): tokenFamilies.removeAll { $0.id == id }
        case .putUpstreamCredential(let credential):
            upstreamCredentials.put(credential) { $0.identity == credential.identity }
        case .removeUpstreamCredential(let identity): upstreamCredentials.removeAll { $0.identity == identity }
        }
    }

    private mutating func removeUser(_ id: String) {
        users.removeAll { $0.id == id }
        let gone = Set(keys.filter { $0.owner == id }.map(\.id))
        keys.removeAll { $0.owner == id }
        memberships.removeAll { $0.identity.user == id }
        tokenFamilies.removeAll { family in family.subject == id || family.key.map(gone.contains) ?? false }
    }

    private mutating func put(_ project: StoredProject) throws(StoreFault) {
        try require(organizations.contains { $0.id == project.organization }, "the project's organisation is not there")
        let isTaken = projects.contains {
            $0.organization == project.organization && $0.slug == project.slug && $0.id != project.id
        }
        try require(!isTaken, "the slug is another project's")
        projects.put(project) { $0.id == project.id }
    }

    private mutating func put(_ membership: StoredMembership) throws(StoreFault) {
        let identity = membership.identity
        try require(users.contains { $0.id == identity.user }, "the member is no user")
        try require(organizations.contains { $0.id == identity.organization }, "the member's organisation is not there")
        try require(
            identity.project.map { id in projects.contains { $0.id == id } } ?? true, "the member's project is not there")
        memberships.put(membership) { $0.identity == identity }
    }

    private func require(_ condition: Bool, _ message: String) throws(StoreFault) {
        if !condition { throw .inconsistent(message) }
    }
}

extension Array {
    /// Takes the place of the first element that `isSame`, or goes to the end.
    fileprivate mutating func put(_ element: Element, where isSame: (Element) -> Bool) {
        if let index = firstIndex(where: isSame) { self[index] = element } else { append(element) }
    }
}
