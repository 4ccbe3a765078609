import Core
import Crypto
import Policy
import Store
import Synchronization

@testable import TokenService

/// Records in memory, and calls made at them as routes would.
struct ManagementFixture {
    static let now = WallTime(seconds: 1_800_000_000)

    var index = StoreIndex()
    var usage: [String: KeyUsage] = [:]
    var configuration: ManagementConfiguration
    var caller = ManagementCaller(method: "api_key", credential: "admin", scopes: ["admin_realm"], grantsAnything: false)
    var now = Self.now
    var realm: String?
    var requestRealm: RequestRealm?
    var organization: String?
    var material = Self.material
    private(set) var events: [AuditEvent] = []
    /// What took long and was made for calls, in its order.
    private(set) var worked: [CostlyWork] = []

    init(_ resource: ManagementConfiguration.Resource) {
        configuration = ManagementConfiguration(resource: resource)
        let place = SourcePosition(line: 1, column: 1)
        configuration.authenticator = Located("keys", at: place, path: "")
        configuration.keySet = Located("own", at: place, path: "")
    }

    func turned(to resource: ManagementConfiguration.Resource) -> ManagementFixture {
        var other = self
        other.configuration = ManagementFixture(resource).configuration
        return other
    }

    /// An answer as a test looks at it.
    struct Answer {
        var status: Int
        var body: JSONNode
        var decision: ManagementDecision?
        var messages: [String] = []
        var reason: String?

        subscript(_ name: String) -> String? {
            guard case .string(let text)? = body[name]?.value else { return nil }
            return text
        }

        func isTrue(_ name: String) -> Bool? {
            guard case .bool(let value)? = body[name]?.value else { return nil }
            return value
        }

        /// The ids of a list.
        var ids: [String] {
            guard case .array(let nodes)? = body["collection"]?.value else { return [] }
            return nodes.compactMap { if case .string(let id)? = $0["id"]?.value { id } else { nil } }
        }

        var collection: [JSONNode] {
            guard case .array(let nodes)? = body["collection"]?.value else { return [] }
            return nodes
        }
    }

    /// Makes a call and carries out what comes of it.
    mutating func call(
        _ method: Core.Method, _ item: String? = nil, operation: String? = nil, query: String = "", json: String? = nil,
        form: String? = nil, type: String? = nil
    ) -> Answer {
        var call = ManagementCall(
            configuration: configuration, caller: caller, method: method, item: item, operation: operation,
            organization: organization, realm: realm, query: Array(query.utf8),
            contentType: type ?? (json != nil ? "application/json" : form != nil ? "application/x-www-form-urlencoded" : nil),
            content: Array((json ?? form ?? "").utf8), now: now)
        call.requestRealm = requestRealm
        do throws(ActionRefusal) {
            let usage = usage
            let context = ManagementContext(index: index, usage: { usage[$0] }, keyMaker: Self.keyMaker)
            var prepared = try PreparedCall(call)
            var decision = try ManagementDispatch.decide(prepared, in: context)
            while let work = decision.work {
                worked.append(work)
                prepared.made = try material.make(work, adding: prepared.made)
                decision = try ManagementDispatch.decide(prepared, in: context)
            }
            var undo: [StoreChange] = []
            for change in decision.changes { index.apply(change, undo: &undo) }
            events += decision.events
            let body = (try? JSONNode.parse(decision.body.span)) ?? Self.nothing
            return Answer(status: decision.status, body: body, decision: decision)
        } catch {
            return Answer(
                status: error.denial.status, body: Self.nothing, messages: error.messages, reason: error.denial.reason)
        }
    }

    /// The record of a key, for what its answer does not show.
    func key(_ id: String) -> StoredKey? { index.keys[id] }

    static let keyMaker: @Sendable (String) -> KeyMaker? = { name in
        guard name == "keys" else { return nil }
        return KeyMaker {
            let text = Array("key_".utf8) + Array(Hex.encode(SecureRandom.bytes(16).span).utf8)
            return (text, OpenSSLCryptography().sha256(text.span))
        }
    }

    /// Quick, and no secret of anybody.
    static let material = MaterialMaker(
        passwordHash: { "$scrypt$" + String($0.reversed()) }, isPassword: { $1 == "$scrypt$" + String($0.reversed()) },
        privateKey: { [0x30, 0x03, 0x02, 0x01, 0x00] }, givenPrivateKey: { _ in nil })

    private static let nothing = JSONNode(.null, at: SourcePosition(line: 0, column: 0))

    mutating func addUser(_ email: String, scopes: [String] = []) -> String {
        var other = turned(to: .users)
        other.caller.grantsAnything = true
        let list = scopes.map { "\"\($0)\"" }.joined(separator: ",")
        let answer = other.call(.post, json: "{\"user\":{\"email\":\"\(email)\",\"scopes\":[\(list)]}}")
        index = other.index
        return answer["id"] ?? ""
    }
}
