import Core
import Crypto
import Policy
import Store

/// `jwt_keys`: what a key set of the store signs tokens with, as AuthRocket's API has it.
struct JWTKeyResource: ManagedResource {
    static let name = "jwt_key"
    static let isRealmBound = true
    static let isInOrganizations = false
    /// Keys of one realm that sign, or would.
    static let keyLimit = 50
    /// Keys of one realm that have been replaced and still verify. They are bounded where keys are replaced, so that they never
    /// stand in the way of a new one.
    static let replacedLimit = 150
    let context: ManagementContext
    let call: ManagementCall

    private var keySet: String { call.configuration.keySet?.value ?? "" }

    func all() -> [StoredSigningKey] { Array(context.index.signingKeys.values) }
    func lookup(_ id: String) -> StoredSigningKey? { context.index.signingKeys[id] }
    func id(of record: StoredSigningKey) -> String { record.id }

    func isVisible(_ record: StoredSigningKey) -> Bool {
        record.keySet == keySet && record.realm == call.realm && record.removedAt.map { $0 > call.now } ?? true
    }

    func filter(_ parameters: inout ParameterReader) throws(ActionRefusal) -> (StoredSigningKey) -> Bool {
        { _ in true }
    }

    /// Private halves are listed for those alone who may and ask for them.
    func wantsAll(_ parameters: inout ParameterReader) throws(ActionRefusal) -> Bool {
        guard parameters.boolean("private") == true else { return false }
        guard mayReadPrivateKeys else {
            throw ActionRefusal(.scopeMissing, messages: ["Private keys may not be read by this caller"])
        }
        return true
    }

    private var mayReadPrivateKeys: Bool {
        call.configuration.privateKeyScope.map(call.caller.scopes.contains) ?? false
    }

    func describe(_ record: StoredSigningKey) -> ObjectText { describe(record, withPrivate: false) }

    func describeInFull(_ record: StoredSigningKey) -> ObjectText { describe(record, withPrivate: true) }

    private func describe(_ record: StoredSigningKey, withPrivate: Bool) -> ObjectText {
        var text = ObjectText(call.configuration.shape.members)
        text.add("id", record.id)
        text.add("algo", record.algorithm.rawValue.lowercased())
        text.add("expired", record.removedAt != nil)
        switch SigningMaterial.shown(record) {
        case .secret(let secret): text.add("key", secret)
        case .pair(let publicKey, let privateKey):
            text.add(optional: "key", publicKey)
            if withPrivate { text.add(optional: "private_key", privateKey) }
        }
        text.add(optional: "realm_id", record.realm)
        text.add("use", "sign")
        return text
    }

    func create(_ prepared: inout PreparedCall) throws(ActionRefusal) -> ManagementDecision {
        var content = try content(&prepared)
        let algorithm = content.signatureAlgorithm()
        if content.requiredText("use") .map({ $0 != "sign" }) ?? false { content.complain("Use is not included in the list") }
        // What it names is the call's realm already.
        _ = content.text("realm_id")
        let (material, isGiven, work) = material(&content, for: algorithm, prepared.made)
        let siblings = all().filter(isVisible)
        if isGiven, siblings.contains(where: { $0.material == material }) { content.complain("Key has already been taken") }
        if siblings.count(where: { $0.removedAt == nil }) >= Self.keyLimit {
            content.complain("Keys of a realm are limited to \(Self.keyLimit)")
        }
        if let realm = call.realm, call.caller.realmLock == nil, !context.index.hasRoom(for: realm, in: keySet) {
            content.complain(StoreIndex.tooManyRealms)
        }
        try close(&content, &prepared)
        if let work { return ManagementDecision(waitingFor: work) }
        let record = StoredSigningKey(
            id: RecordID.make(.jwtKey, at: call.now), keySet: keySet, realm: call.realm, algorithm: algorithm ?? .hs256,
            material: material, createdAt: call.now)
        return ManagementDecision(
            status: 201, body: describe(record, withPrivate: false).closed, changes: [.putSigningKey(record)],
            events: [realmUpdated(record, cause: "jwt_key.created")], showsSecret: true)
    }

    /// What the key consists of, whether the content brings it, and what has to be made first; empty where something is wrong.
    private func material(
        _ content: inout ParameterReader, for algorithm: SignatureAlgorithm?, _ made: MadeMaterial
    ) -> (material: [UInt8], isGiven: Bool, work: CostlyWork?) {
        guard algorithm == .hs256 else {
            // Its line breaks are control characters.
            let given = content.secretText("key")
            guard algorithm == .rs256 else { return ([], false, nil) }
            if let privateKey = made.privateKey { return (privateKey, given != nil, nil) }
            guard let given else { return ([], false, .newPrivateKey) }
            if !made.isKeyJudged { return ([], false, .givenPrivateKey(given)) }
            content.complain("Key is no RSA private key of 2048 to 8192 bits as PKCS #8 in PEM form, not encrypted")
            return ([], false, nil)
        }
        let before = content.messages.count
        guard let secret = content.secretText("key", byteLimit: SigningMaterial.longestSecret) else {
            return (content.messages.count == before ? SigningMaterial.newSecret() : [], false, nil)
        }
        if secret.utf8.count < SigningMaterial.shortestSecret {
            content.complain("Key is too short (minimum is \(SigningMaterial.shortestSecret) bytes)")
        }
        return (Array(secret.utf8), true, nil)
    }

    func update(_ record: StoredSigningKey, _ prepared: inout PreparedCall) throws(ActionRefusal) -> ManagementDecision {
        throw ActionRefusal(.methodNotAllowed)
    }

    func remove(_ record: StoredSigningKey, _ prepared: inout PreparedCall) throws(ActionRefusal) -> ManagementDecision {
        let isForced = prepared.parameters.boolean("force") ?? false
        try close(&prepared.parameters)
        var changes: [StoreChange] = []
        if isForced {
            changes = [.removeSigningKey(id: record.id)]
        } else if record.removedAt == nil {
            guard all().count(where: { isVisible($0) && $0.removedAt != nil }) < Self.replacedLimit else {
                throw ActionRefusal(
                    .parametersInvalid,
                    messages: ["Replaced keys of a realm are limited to \(Self.replacedLimit): \"force\" ends one at once"])
            }
            var retired = record
            retired.removedAt = call.now.advanced(by: call.configuration.retireAfter)
            changes = [.putSigningKey(retired)]
        }
        let cause = isForced ? "jwt_key.deleted" : "jwt_key.expired"
        return ManagementDecision(
            status: 202, body: describe(record, withPrivate: false).closed, changes: changes,
            events: changes.isEmpty ? [] : [realmUpdated(record, cause: cause)])
    }

    private func realmUpdated(_ record: StoredSigningKey, cause: String) -> AuditEvent {
        .realmUpdated(record, cause: cause, caller: call.caller, at: call.now)
    }
}

extension ParameterReader {
    /// `algo`: what new keys may be for.
    fileprivate mutating func signatureAlgorithm() -> SignatureAlgorithm? {
        guard let text = requiredText("algo") else { return nil }
        switch text {
        case "hs256": return .hs256
        case "rs256": return .rs256
        default:
            complain("Algo is not included in the list")
            return nil
        }
    }
}
