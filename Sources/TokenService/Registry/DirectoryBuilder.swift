import Policy
import Store

/// Makes what decisions know of the store from what the registry holds.
enum DirectoryBuilder {
    /// - Parameters:
    ///   - previous: the directory before: what a change does not touch is taken from it.
    ///   - report: told of records that cannot be used; they are left out, so that nobody is let in by them.
    static func directory(
        from index: StoreIndex, previous: Directory?, change: RegistryChange, report: (String) -> Void
    ) -> Directory {
        guard let previous, previous.isAvailable, !change.everything else {
            let users = users(of: index)
            return Directory(tables: tables(of: index, users: users, only: nil, report: report), users: users)
        }
        if change.people {
            let users = users(of: index)
            return Directory(tables: tables(of: index, users: users, only: nil, report: report), users: users)
        }
        let fresh = tables(of: index, users: previous.users, only: change.authenticators, report: report)
        var merged = previous.tables
        for name in change.authenticators { merged[name] = fresh[name] }
        return Directory(tables: merged, users: previous.users)
    }

    private static func tables(
        of index: StoreIndex, users: [String: DirectoryUser], only wanted: Set<String>?, report: (String) -> Void
    ) -> [String: APIKeyTable] {
        var keys: [String: [DirectoryKey]] = [:]
        for key in index.keys.values where wanted?.contains(key.authenticator) ?? true {
            keys[key.authenticator, default: []].append(DirectoryKey(key))
        }
        var tables: [String: APIKeyTable] = [:]
        for (name, keys) in keys {
            do throws(APIKeyTableError) {
                tables[name] = try APIKeyTable.stored(keys, users: users)
            } catch {
                report("the stored keys of \"\(name)\" are not used: \(error.message)")
            }
        }
        return tables
    }

    private static func users(of index: StoreIndex) -> [String: DirectoryUser] {
        var memberships: [String: [DirectoryUser.Membership]] = [:]
        for membership in index.memberships.values {
            let identity = membership.identity
            guard let organization = index.organizations[identity.organization] else { continue }
            var slug: String?
            if let project = identity.project {
                guard let found = index.projects[project], found.organization == organization.id else { continue }
                slug = found.slug
            }
            memberships[identity.user, default: []].append(
                DirectoryUser.Membership(organization: organization.slug, project: slug, role: membership.role))
        }
        return index.users.mapValues { user in
            DirectoryUser(
                id: user.id, email: user.email, name: user.name, scopes: user.scopes, isEnabled: user.isEnabled,
                tokensValidFrom: user.tokensValidFrom, memberships: memberships[user.id] ?? [])
        }
    }
}

extension DirectoryKey {
    fileprivate init(_ key: StoredKey) {
        self.init(
            id: key.id, subject: key.subject, owner: key.owner,
            secrets: key.secrets.map {
                APIKeyConfiguration.Secret(digest: $0.digest, notBefore: nil, expiresAt: $0.expiresAt)
            }, scopes: key.scopes, allowedAddresses: key.allowedAddresses, limits: key.limits, realm: key.realm,
            isEnabled: key.isEnabled)
    }
}
