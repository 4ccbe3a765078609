package import Core
import Crypto
import Policy
import Store

/// What commands do with tokens, on a thread that may block.
extension TokenService {
    /// A token that was looked at.
    package struct InspectedToken: Sendable {
        /// JSON, as they were written.
        package var header: [UInt8]
        package var claims: [UInt8]
        /// The id of the stored key that signed it; nil where none did.
        package var key: String?
        /// Now is not before `nbf` and before `exp`, if they are there.
        package var isInTime: Bool
    }

    /// Makes a token of these claims, signed by the newest key of the key set, which is made where there is none. Told as an
    /// audit event.
    package func mint(
        keySet: String, realm: String?, algorithm: SignatureAlgorithm, claims: JSONNode, caller: ManagementCaller, now: WallTime
    ) -> Result<String, ActionRefusal> {
        guard let registry, let fresh = StoredSigningKey.fresh(algorithm, keySet: keySet, realm: realm, now: now) else {
            return .failure(ActionRefusal(.storeUnavailable))
        }
        let made = registry.change { (index) throws(ActionRefusal) in
            let live = index.signingKeys(of: keySet, realm: realm).first { $0.removedAt == nil }
            return (live == nil ? [.putSigningKey(fresh)] : [], live ?? fresh)
        }
        switch made {
        case .failure(let refusal): return .failure(refusal)
        case .success(let key):
            guard let signer = try? SigningKey(key.algorithm, material: key.material),
                let token = CompactTokenWriter.token(
                    claims: claims, signedBy: SigningKeyring.Entry(key: key, signer: signer), namesKey: true)
            else { return .failure(ActionRefusal(.storeUnavailable)) }
            var id = ""
            if case .string(let text)? = claims["jti"]?.value { id = text }
            if key.id == fresh.id { audit.record([.realmUpdated(fresh, cause: "jwt_key.created", caller: caller, at: now)]) }
            audit.record([
                AuditEvent(name: "token.minted", objectType: "token", objectID: id, realm: realm, caller: caller, at: now)
            ])
            return .success(token)
        }
    }

    /// Looks at a token; nil when it is none.
    package func inspect(_ token: [UInt8], now: WallTime) -> InspectedToken? {
        let parts = token.split(separator: 0x2E, omittingEmptySubsequences: false).map { Array($0) }
        guard parts.count == 3 else { return nil }
        let (first, second, third) = (parts[0], parts[1], parts[2])
        guard let header = Base64URL.decode(first.span), let claims = Base64URL.decode(second.span),
            let signature = Base64URL.decode(third.span), let read = try? JSONNode.parse(claims.span, dialect: .foreign),
            let head = try? JSONNode.parse(header.span, dialect: .foreign)
        else { return nil }
        var isInTime = true
        if case .number(let end)? = read["exp"]?.value { isInTime = now.seconds < end.integer ?? .min }
        if case .number(let start)? = read["nbf"]?.value { isInTime = isInTime && now.seconds >= start.integer ?? .max }
        var key: String?
        if case .string(let name)? = head["alg"]?.value, let registry {
            let signed = first + [0x2E] + second
            if case .success(let keys) = registry.look({ Array($0.signingKeys.values) }) {
                key = keys.first { $0.algorithm.rawValue == name && Self.signs($0, signed, signature) }?.id
            }
        }
        return InspectedToken(header: header, claims: claims, key: key, isInTime: isInTime)
    }

    private static func signs(_ key: StoredSigningKey, _ signed: [UInt8], _ signature: [UInt8]) -> Bool {
        guard let material = try? SigningKey(key.algorithm, material: key.material).verificationMaterial,
            let verification = try? OpenSSLCryptography().verificationKey(from: material)
        else { return false }
        return verification.verifies(signature.span, of: signed.span, using: key.algorithm)
    }
}
