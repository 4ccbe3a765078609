import Core
import Store
import Testing

/// Records for tests, alike but for their numbers.
enum Samples {
    static let noon = WallTime(seconds: 1_800_000_000)

    /// The encryption key of most tests.
    static func encryptionKey(_ letter: Character = "k") throws -> EncryptionKey {
        try #require(EncryptionKey(secret: Array(String(repeating: letter, count: 40).utf8)))
    }

    static func key(_ number: Int, owner: String? = nil, secrets: Int = 1) -> StoredKey {
        StoredKey(
            id: "key-\(number)", authenticator: "keys", name: "Key \"\(number)\", für Zoë", subject: owner ?? "subject-\(number)",
            owner: owner, scopes: number % 2 == 0 ? [] : ["orders:read", "with space", "quote\""],
            allowedAddresses: number % 3 == 0 ? [] : [CIDRBlock(network: IPAddress(v4: 0x0A00_0000), prefixLength: 8)],
            limits: number % 5 == 0 ? ["gold"] : [], realm: number % 2 == 0 ? "rl_1" : nil, isEnabled: number % 7 != 0,
            createdAt: noon, secrets: (0..<secrets).map { secret(number &* 10 &+ $0) })
    }

    static func secret(_ number: Int) -> StoredKey.Secret {
        StoredKey.Secret(
            digest: digest(number), createdAt: noon.advanced(by: Int64(number)),
            expiresAt: number % 2 == 0 ? nil : noon.advanced(by: .seconds(3600)))
    }

    static func digest(_ number: Int) -> Digest256 {
        Digest256(UInt64(number), .max, 0x0102_0304_0506_0708, UInt64(number) << 40)
    }

    static func user(_ number: Int, email: String? = nil) -> StoredUser {
        StoredUser(
            id: "user-\(number)", email: email ?? "user\(number)@example.com", name: "User \(number)",
            passwordHash: number % 2 == 0 ? "$scrypt$ln=4,r=8,p=1$c2FsdA$aGFzaA" : nil, scopes: ["a", "b"],
            isEnabled: number % 3 != 0, createdAt: noon, tokensValidFrom: noon.advanced(by: -1))
    }

    static func organization(_ number: Int, slug: String? = nil) -> StoredOrganization {
        StoredOrganization(id: "org-\(number)", slug: slug ?? "acme-\(number)", name: "Acme \(number)")
    }

    static func project(_ number: Int, of organization: Int, slug: String? = nil) -> StoredProject {
        StoredProject(
            id: "project-\(number)", organization: "org-\(organization)", slug: slug ?? "warehouse-\(number)", name: "Warehouse")
    }

    static func membership(user: Int, organization: Int, project: Int? = nil, role: String = "member") -> StoredMembership {
        StoredMembership(
            identity: .init(user: "user-\(user)", organization: "org-\(organization)", project: project.map { "project-\($0)" }),
            role: role)
    }

    static func signingKey(_ number: Int) -> StoredSigningKey {
        StoredSigningKey(
            id: "jky_\(number)", keySet: "own", realm: number % 2 == 0 ? nil : "rl_1",
            algorithm: number % 2 == 0 ? .hs256 : .rs256, material: [0, 1, 2, UInt8(number & 0xFF)], createdAt: noon,
            removedAt: number % 3 == 0 ? noon.advanced(by: .seconds(14400)) : nil)
    }

    static func family(_ number: Int, subject: String? = nil, key: String? = nil) -> TokenFamily {
        TokenFamily(
            id: "family-\(number)", issuer: "login", subject: subject ?? "user-\(number)", key: key,
            secret: key.map { _ in digest(number) }, realm: number % 2 == 0 ? "rl_\(number)" : nil, scopes: ["a"],
            isNarrowed: number % 2 == 0, addresses: number % 3 == 0 ? nil : ["192.0.2.0/24"],
            lifetime: number % 2 == 0 ? nil : 60, current: digest(number), createdAt: noon, expiresAt: noon.advanced(by: .seconds(86400)))
    }

    static func credential(_ number: Int) -> StoredUpstreamCredential {
        StoredUpstreamCredential(
            identity: .init(name: "crm", issuer: "client", subject: "user-\(number)"),
            signIn: SignInTime(issuedAt: Int64(number), endsAt: Int64(number) * 7), document: Array("{\"apiKey\":\"secret-\(number)\"}".utf8),
            expiresAt: number % 2 == 0 ? nil : noon.advanced(by: .seconds(20000)))
    }

    /// One of each kind, each that refers to others after these.
    static let oneOfEach: [StoreChange] = [
        .putUser(user(1)), .putUser(user(2)), .putOrganization(organization(1)), .putProject(project(1, of: 1)),
        .putMembership(membership(user: 1, organization: 1)),
        .putMembership(membership(user: 2, organization: 1, project: 1, role: "admin")), .putKey(key(1, secrets: 2)),
        .putKey(key(2, owner: "user-1")), .putKey(key(3, secrets: 0)), .putSigningKey(signingKey(1)),
        .putSigningKey(signingKey(2)), .putTokenFamily(family(1)), .putTokenFamily(family(2, key: "key-2")),
        .putUpstreamCredential(credential(1)), .putUpstreamCredential(credential(2)),
    ]
}

extension StoreContents {
    /// With each list in the order of identities, so that contents can be compared.
    var ordered: StoreContents {
        var copy = self
        copy.keys.sort { $0.id < $1.id }
        copy.users.sort { $0.id < $1.id }
        copy.organizations.sort { $0.id < $1.id }
        copy.projects.sort { $0.id < $1.id }
        copy.memberships.sort { "\($0.identity)" < "\($1.identity)" }
        copy.signingKeys.sort { $0.id < $1.id }
        copy.tokenFamilies.sort { $0.id < $1.id }
        copy.upstreamCredentials.sort { "\($0.identity)" < "\($1.identity)" }
        return copy
    }

    func isSame(as other: StoreContents) -> Bool {
        let (one, other) = (ordered, other.ordered)
        return one.revision == other.revision && one.keys == other.keys && one.users == other.users
            && one.organizations == other.organizations && one.projects == other.projects
            && one.memberships == other.memberships && one.signingKeys == other.signingKeys
            && one.tokenFamilies == other.tokenFamilies && one.upstreamCredentials == other.upstreamCredentials
    }
}
