import ArgumentParser
import CLinux
import Core
import Crypto
import Gateway
import Policy
import Store
import TokenService

/// A command's way to what the store keeps: the calls that the gateway answers, made by whoever stands at the machine. A gateway
/// that runs sees the changes by itself.
struct StoreSession {
    let policy: CompiledPolicy
    private let tokens: TokenService
    private let management: ManagementService
    private let outlet: AuditOutlet

    /// Opens the store that a policy file names.
    init(config: String) throws {
        let load = PolicySource(path: config, resolution: .skipped).load()
        guard let policy = load.policy else {
            for diagnostic in load.diagnostics where diagnostic.severity == .error { Output.error(diagnostic.description) }
            throw ExitCode(load.isUnreadable ? ExitStatus.unusable : ExitStatus.refused)
        }
        guard let store = policy.store else { throw ValidationError("\(config) has no \"store\"") }
        self.policy = policy
        tokens = TokenService(
            TokenService.Environment(
                open: { () throws(StoreFault) in try store.open() }, directory: DirectoryCell(),
                cryptography: OpenSSLCryptography(), clock: Self.clocks, report: { Output.error($0) }, processors: 1,
                seed: HashSeed(SecureRandom.word(), SecureRandom.word())))
        tokens.start(policy.snapshot)
        guard let management = tokens.management, let registry = tokens.registry, registry.status.isLoaded else {
            // What is wrong has been reported.
            throw ExitCode(ExitStatus.unusable)
        }
        self.management = management
        outlet = AuditOutlet(log: OperatorLog.warningsOnly())
        outlet.adopt(policy.audit, trail: tokens.audit)
    }

    private static let clocks: @Sendable () -> ClockReading = {
        ClockReading(instant: Instant(nanoseconds: linux_monotonic_ns()), wall: WallTime(nanoseconds: linux_realtime_ns()))
    }

    /// Tells of what was changed, which may take as long as a webhook is away. The process ends with the command, so every command
    /// calls this at its end: when its result, which may be the only copy of a secret, has been printed.
    func finish() {
        tokens.audit.flush()
        outlet.finish()
    }

    /// Makes one call. What it is refused for is printed and ends the command.
    /// - Parameters:
    ///   - content: the members of the record, as JSON.
    ///   - realm: for records that are of one.
    func call(
        _ configuration: ManagementConfiguration, _ method: Core.Method, item: String? = nil, operation: String? = nil,
        query: [(name: String, value: String?)] = [], content: RecordText? = nil, of name: String = "",
        realm: String? = nil
    ) throws -> JSONNode {
        var configuration = configuration
        configuration.grantsAnything = true
        configuration.mayImport = true
        var body: [UInt8] = []
        if let content {
            body.append("{")
            body.append(jsonString: name)
            body.append(":")
            content.append(to: &body, indent: nil)
            body.append("}")
        }
        let given = query.compactMap { parameter in parameter.value.map { "\(parameter.name)=\(Self.encoded($0))" } }
        let call = ManagementCall(
            configuration: configuration, caller: .commandLine, method: method, item: item, operation: operation,
            realm: realm, query: Array(given.joined(separator: "&").utf8), contentType: "application/json", content: body,
            now: Self.clocks().wall)
        switch management.perform(call) {
        case .success(let decision): return try JSONNode.parse(decision.body.span)
        case .failure(let refusal):
            let messages = refusal.messages.isEmpty ? [refusal.denial.detail.description] : refusal.messages
            for message in messages { Output.error("error: \(message)") }
            throw ExitCode(refusal.denial == .storeUnavailable ? ExitStatus.unusable : ExitStatus.refused)
        }
    }

    /// Every record of a list, page after page.
    func all(
        _ configuration: ManagementConfiguration, query: [(name: String, value: String?)] = [], realm: String? = nil
    ) throws -> [JSONNode] {
        var records: [JSONNode] = []
        while true {
            let after = records.last.flatMap { $0.text("id") }
            let page = try call(configuration, .get, query: query + [("after", after)], realm: realm)
            guard case .array(let nodes)? = page["collection"]?.value else { return records }
            records += nodes
            guard case .bool(true)? = page["more_results"]?.value, !nodes.isEmpty else { return records }
        }
    }

    /// What manages the API keys of an authenticator; the only one that keeps some where none is named.
    func keys(_ authenticator: String?) throws -> ManagementConfiguration {
        let known = policy.snapshot.configuration.storedAuthenticators
        guard let name = authenticator ?? (known.count == 1 ? known.first : nil), known.contains(name) else {
            throw ValidationError(
                known.isEmpty
                    ? "no authenticator of the policy has \"stored\": true"
                    : "--authenticator has to be one of: \(known.joined(separator: ", "))")
        }
        var configuration = ManagementConfiguration(resource: .apiKeys)
        configuration.authenticator = Located(name, at: SourcePosition(line: 0, column: 0), path: "")
        return configuration
    }

    /// What manages the keys of a stored key set.
    func signingKeys(_ keySet: String) throws -> ManagementConfiguration {
        _ = try algorithms(of: keySet)
        var configuration = ManagementConfiguration(resource: .jwtKeys)
        configuration.keySet = Located(keySet, at: SourcePosition(line: 0, column: 0), path: "")
        return configuration
    }

    private func algorithms(of keySet: String) throws -> [SignatureAlgorithm] {
        guard case .stored(let algorithms)? = policy.snapshot.configuration.keySets[keySet]?.source else {
            throw ValidationError("--key-set \(keySet): the policy has no stored key set of this name")
        }
        return algorithms
    }

    /// The id of the user with an e-mail address, or with the id.
    func user(_ name: String) throws -> String {
        if !name.contains("@") { return name }
        let found = try call(ManagementConfiguration(resource: .users), .get, query: [("email", name)])
        if case .array(let nodes)? = found["collection"]?.value, let id = nodes.first?.text("id") { return id }
        Output.error("error: there is no user \(name)")
        throw ExitCode(ExitStatus.refused)
    }

    /// Makes a token of the claims sub, iat, exp, jti and these.
    func mint(
        keySet: String, realm: String?, subject: String, lifetime: Nanoseconds, claims: [JSONMember]
    ) throws -> String {
        let algorithms = try algorithms(of: keySet)
        let now = Self.clocks().wall
        let start = SourcePosition(line: 1, column: 1)
        func number(_ value: Int64) -> JSONValue { .number(JSONNumber(value)) }
        let own: [(String, JSONValue)] = [
            ("sub", .string(subject)), ("iat", number(now.seconds)), ("exp", number(now.advanced(by: lifetime).seconds)),
            ("jti", .string(SecureRandom.uuid())),
        ]
        let all = own.map { JSONMember(name: $0, namePosition: start, node: JSONNode($1, at: start)) } + claims
        guard Set(all.map(\.name)).count == all.count else { throw ValidationError("a claim is given twice") }
        let minted = tokens.mint(
            keySet: keySet, realm: realm, algorithm: algorithms.first ?? .hs256, claims: JSONNode(.object(all), at: start),
            caller: .commandLine, now: now)
        switch minted {
        case .success(let token): return token
        case .failure(let refusal):
            Output.error("error: \(refusal.denial.detail)")
            throw ExitCode(ExitStatus.unusable)
        }
    }

    /// Looks at a token; nil when it is none.
    func inspect(_ token: [UInt8]) -> TokenService.InspectedToken? { tokens.inspect(token, now: Self.clocks().wall) }

    private static func encoded(_ text: String) -> String {
        let digits = Array("0123456789ABCDEF".utf8)
        var bytes: [UInt8] = []
        for byte in text.utf8 {
            let isPlain = byte.isDigit || byte.lowercasedASCII &- 0x61 < 26 || byte == 0x2D || byte == 0x5F || byte == 0x2E
            if isPlain { bytes.append(byte) } else { bytes += [0x25, digits[Int(byte >> 4)], digits[Int(byte & 15)]] }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}

extension JSONNode {
    /// The string of a member; nil where it is something else.
    func text(_ name: String) -> String? {
        guard case .string(let text)? = self[name]?.value else { return nil }
        return text
    }
}
