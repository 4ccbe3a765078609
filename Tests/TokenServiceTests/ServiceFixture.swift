import Core
import Crypto
import Dispatch
import Store
import Synchronization
import Testing

@testable import Policy
@testable import TokenService

/// A token service over a store in memory, under a policy with all of its actions.
final class ServiceFixture: Sendable {
    static let claims =
        #"{"id":"{family}","sub":"{subject}","exp":"{expires_at}","expt":"{lifetime}","iat":"{issued_at}","#
        + #""ips":"{addresses}","rn":"{renewable}","scope":"{scopes}"}"#
    /// Without scopes and addresses.
    static let bareClaims =
        #"{"id":"{family}","sub":"{subject}","exp":"{expires_at}","expt":"{lifetime}","iat":"{issued_at}"}"#
    static let answer =
        #"{"token":"{token}","payload":"{claims}","expires_in":"{expires_in}","refresh_token":"{refresh_token}","#
        + #""refresh_expires_in":"{refresh_expires_in}"}"#
    /// Cheap, so that tests are quick.
    static let cost = Scrypt.Cost(logarithm: 4, blockSize: 8, parallelism: 1)

    let store = MemoryStore()
    let clock = TestClock()
    let directory = DirectoryCell()
    let service: TokenService
    let snapshot: Snapshot

    /// - Parameter derive: computes the hashes of passwords.
    init(_ fill: [StoreChange] = [], derive: @escaping Scrypt.Derivation = Scrypt.derive) throws {
        _ = try store.commit(fill, at: 0)
        let read = ConfigurationReader.read(Self.policy.utf8.span, file: "gateway.json")
        #expect(read.diagnostics.map(\.description) == [])
        let configuration = try #require(read.configuration)
        let compiled = Snapshot.compile(configuration, environment: TestEnvironment())
        #expect(compiled.diagnostics.map(\.description) == [])
        snapshot = try #require(compiled.snapshot)
        let (store, clock) = (self.store, self.clock)
        var environment = TokenService.Environment(
            open: { () throws(StoreFault) in store }, directory: directory, cryptography: OpenSSLCryptography(),
            clock: { clock.now }, report: { _ in }, processors: 2, seed: HashSeed(1, 2))
        environment.derive = derive
        service = TokenService(environment)
        service.start(snapshot)
    }

    private static var policy: String {
        let terms = #""key_set":"own","claims":\#(claims),"answer":\#(answer)"#
        let refresh = #""refresh_tokens":{"lifetime":"1h","family_lifetime":"3h"}"#
        return """
            {"listeners":[{"address":"127.0.0.1:0"}],"upstreams":{"api":{"servers":["http://127.0.0.1:9"]}},"store":{"sqlite":"x.db","encryption_key":"env:STORE_KEY"},
            "key_sets":{"own":{"stored":true,"algorithms":["HS256"]}},
            "authenticators":{"keys":{"type":"api_key","from":["header:Api-Key"],"stored":true},
            "tokens":{"type":"jwt","algorithms":["HS256"],"key_set":"own","leeway":"0s","issuer":"x","audiences":["x"]}},
            "routes":[
            {"name":"mint","match":{"path":"/mint"},"authenticate":["keys","tokens"],
            "action":{"mint_token":{\(terms),"addresses":{}}}},
            {"name":"mint-refresh","match":{"path":"/mint-refresh"},"authenticate":["keys"],
            "action":{"mint_token":{\(terms),"max_lifetime":"2d","addresses":{"protect":false},\(refresh)}}},
            {"name":"mint-bare","match":{"path":"/mint-bare"},"authenticate":["keys"],"action":{"mint_token":{
            "key_set":"own","claims":\(bareClaims),"answer":\(answer)}}},
            {"name":"mint-nameless","match":{"path":"/mint-nameless"},"authenticate":["keys"],"action":{"mint_token":{
            "key_set":"own","claims":{"sub":"{subject}","exp":"{expires_at}"},"answer":\(answer)}}},
            {"name":"login","match":{"path":"/login"},"authenticate":"none",
            "action":{"login":{\(terms),\(refresh),"attempts":{"failures":3,"per":"1m","burst":3}}}},
            {"name":"refresh","match":{"path":"/refresh"},"authenticate":"none",
            "action":{"refresh_token":{\(terms),\(refresh)}}},
            {"name":"refresh-bare","match":{"path":"/refresh-bare"},"authenticate":"none","action":{"refresh_token":{
            "key_set":"own","claims":\(bareClaims),"answer":\(answer),\(refresh)}}},
            {"name":"renew","match":{"path":"/renew"},"authenticate":["tokens"],
            "action":{"refresh_token":{\(terms)}}}]}
            """
    }

    /// The key of `identity` as the store has it.
    static func storedKey(
        scopes: [String] = ["read", "write"], id: String = "key", realm: String? = nil, confined: Confinement = .none
    ) -> StoredKey {
        let begun = WallTime(seconds: 1_700_000_000)
        return StoredKey(
            id: id, authenticator: "keys", name: "ci", subject: "somebody", scopes: scopes,
            allowedAddresses: confined.addresses.compactMap { CIDRBlock($0) }, realm: realm, createdAt: begun,
            secrets: [.init(digest: digest, createdAt: begun, expiresAt: confined.end)])
    }

    /// What a key is confined to; no addresses are every address.
    struct Confinement: Sendable {
        var addresses: [String] = []
        var end: WallTime?

        static let none = Confinement()
    }

    // MARK: Asking

    /// An API key's identity, under an authenticator that knows this key alone.
    static func identity(
        scopes: [String] = ["read", "write"], id: String = "key", realm: String? = nil, confined: Confinement = .none
    ) throws -> Identity {
        let authenticator = try authenticator(scopes: scopes, id: id, realm: realm, confined: confined)
        return .apiKey(try #require(authenticator.table.lookup(digest)), authenticator)
    }

    static let digest = OpenSSLCryptography().sha256("secret".utf8.span)

    static func authenticator(
        scopes: [String], id: String = "key", realm: String? = nil, confined: Confinement = .none
    ) throws -> KeyAuthenticator {
        let key = DirectoryKey(
            id: id, subject: "somebody", secrets: [.init(digest: digest, notBefore: nil, expiresAt: confined.end)],
            scopes: scopes, allowedAddresses: confined.addresses.compactMap { CIDRBlock($0) }, realm: realm)
        let table = try APIKeyTable.stored([key], users: [:])
        return KeyAuthenticator(
            name: "keys", table: table, pepper: nil, cryptography: OpenSSLCryptography(), limitLists: [])
    }

    func perform(
        _ route: String, as identity: Identity = .anonymous, query: String = "", content: String = "",
        type: String? = nil, from client: String = "192.0.2.7", realm: String? = nil, hasLeft: Bool = false,
        beside others: [Identity] = []
    ) throws -> ActionOutcome {
        let route = try #require(snapshot.routes.first { $0.name == route })
        let request = ActionRequest(
            action: try #require(route.action), route: route, identity: identity, others: others, client: try #require(IPAddress(client)),
            method: .post, captures: [:], query: Array(query.utf8), contentType: type, content: Array(content.utf8),
            requestID: "rq_test", now: clock.now,
            realm: realm.map { RequestRealm(lock: identity.lockedRealm, fallback: $0, isRequired: false) })
        if hasLeft { request.interest.leave() }
        let done = DispatchSemaphore(value: 0)
        let outcome = Mutex<ActionOutcome?>(nil)
        service.perform(request) { answer in
            outcome.withLock { $0 = answer }
            done.signal()
        }
        done.wait()
        return try #require(outcome.withLock { $0 })
    }

    /// The answer's content, which has to be one.
    func answer(
        _ route: String, as identity: Identity = .anonymous, query: String = "", content: String = "",
        type: String? = nil, from client: String = "192.0.2.7", realm: String? = nil, beside others: [Identity] = []
    ) throws -> JSONNode {
        let outcome = try perform(
            route, as: identity, query: query, content: content, type: type, from: client, realm: realm, beside: others)
        guard case .answer(let answer) = outcome else {
            Issue.record("refused: \(outcome)")
            throw Unexpected()
        }
        #expect(answer.headers.contains { $0.name == "Cache-Control" && $0.value == "no-store" })
        return try JSONNode.parse(answer.body.span)
    }

    struct Unexpected: Error {}

    /// Shows a refresh token at the route of this name.
    func refresh(_ token: String, at route: String = "refresh", realm: String? = nil) throws -> ActionOutcome {
        let content = #"{"refresh_token":"\#(token)"}"#
        return try perform(route, content: content, type: "application/json", realm: realm)
    }

    /// The stable identifier of the refusal; nil for an answer.
    func refusal(
        _ route: String, as identity: Identity = .anonymous, query: String = "", content: String = "",
        type: String? = nil, from client: String = "192.0.2.7", realm: String? = nil, beside others: [Identity] = []
    ) throws -> String? {
        let outcome = try perform(
            route, as: identity, query: query, content: content, type: type, from: client, realm: realm, beside: others)
        return switch outcome {
        case .answer: nil
        case .refuse(let denial, _, _): denial.reason
        }
    }

    /// The token that an answer brings, verified.
    func token(in answer: JSONNode) throws -> VerifiedToken {
        let text = try #require(answer["token"]?.text)
        return try #require(try verified(text))
    }

    /// What the gateway makes of a token; nil when it is refused.
    func verified(_ text: String, parent: KeyAuthenticator? = nil) throws -> VerifiedToken? {
        var rules = JWTAuthenticatorConfiguration(
            keySet: Located("own", at: SourcePosition(line: 1, column: 1), path: "test"))
        rules.leeway = 0
        rules.algorithms = [.hs256]
        let claim = try #require(JSONPointer("/id"))
        let derivation = parent.map { TokenDerivation(source: .keys($0), claim: claim) }
        let verifier = try JWTVerifier(
            name: "tokens", configuration: rules, keySet: try #require(snapshot.keySets["own"]),
            cryptography: OpenSSLCryptography(), derivation: derivation)
        guard case .verified(let token) = verifier.verify(text.utf8.span, now: clock.now) else { return nil }
        return token
    }
}

/// What policies of these tests are compiled with: no files, and a cell for each key set.
private struct TestEnvironment: CompileEnvironment {
    let cryptography: any Cryptography = OpenSSLCryptography()
    let hashSeed = HashSeed(3, 4)
    let fileName = "gateway.json"

    func secret(_ reference: SecretReference) throws(CompileFault) -> [UInt8] {
        throw CompileFault(.secretUnreadable, "there is none")
    }

    func read(file path: String, take: (Span<UInt8>) throws(CompileFault) -> Void) throws(CompileFault) {
        throw CompileFault(.fileUnreadable, "there is none")
    }

    func keySetCell(named name: String, configuration: KeySetConfiguration) throws(CompileFault) -> KeySetCell {
        KeySetCell(name: name, isRemote: false)
    }
}

extension JSONNode {
    var text: String? { if case .string(let text) = value { text } else { nil } }
    var integer: Int64? { if case .number(let number) = value { number.integer } else { nil } }
    var bool: Bool? { if case .bool(let bool) = value { bool } else { nil } }
    var texts: [String]? { if case .array(let elements) = value { elements.compactMap(\.text) } else { nil } }
}
