import Core

/// One element of a key set document (RFC 7517 §4, RFC 7518 §6, RFC 8037 §2).
struct JWK {
    /// What only private keys have, of any of the three kinds of key pair.
    private static let privateMembers = ["d", "p", "q", "dp", "dq", "qi", "oth"]
    /// Longer ones could not be named by a token.
    private static let kidBytes = TokenHeader.kidBytes

    private let node: JSONNode
    /// Nil also when it is no string; then the key is malformed.
    let kid: String?

    init(_ node: JSONNode) {
        self.node = node
        if case .string(let text) = node["kid"]?.value { kid = text } else { kid = nil }
    }

    /// True for a key pair shown whole, whatever its kind: members of that name have no other meaning.
    var isPrivate: Bool {
        if case .string(let kind) = node["kty"]?.value, kind.isExactly("oct") { return false }
        return Self.privateMembers.contains { node[$0] != nil }
    }

    /// The key ready to verify with, or why it is of no use here.
    func key(isLocal: Bool, cryptography: any Cryptography) throws(KeySet.SkippedKey.Reason) -> KeySet.Key {
        try checkPurpose()
        let material = try material(isLocal: isLocal)
        let verification: any VerificationKey
        do throws(KeyMaterialError) {
            verification = try cryptography.verificationKey(from: material)
        } catch {
            switch error {
            case .malformed: throw .malformed
            case .outOfBounds: throw .weak
            case .unsupported: throw .kindUnknown
            }
        }
        return KeySet.Key(
            kid: kid, algorithms: try algorithms(among: verification.algorithms), verification: verification)
    }

    private func checkPurpose() throws(KeySet.SkippedKey.Reason) {
        if node["kid"] != nil, kid == nil { throw .malformed }
        if let kid, kid.utf8.count > Self.kidBytes || kid.hasControls { throw .malformed }
        if let use = try text("use"), !use.isExactly("sig") { throw .notForSignatures }
        if let operations = node["key_ops"] {
            guard let texts = try? operations.texts() else { throw .malformed }
            if !texts.containsExactly("verify") { throw .notForSignatures }
        }
    }

    /// The key's own `alg`, where it has one and it fits; else everything its kind can do.
    private func algorithms(
        among possible: [SignatureAlgorithm]
    ) throws(KeySet.SkippedKey.Reason) -> [SignatureAlgorithm] {
        guard let name = try text("alg") else { return possible }
        guard let algorithm = SignatureAlgorithm(rawValue: name), possible.contains(algorithm) else {
            throw .algorithmUnfit
        }
        return [algorithm]
    }

    private func material(isLocal: Bool) throws(KeySet.SkippedKey.Reason) -> KeyMaterial {
        switch try text("kty") {
        case "RSA":
            return .rsa(modulus: try bytes("n"), exponent: try bytes("e"))
        case "EC":
            guard let name = try text("crv") else { throw .malformed }
            guard let curve = EllipticCurve(rawValue: name) else { throw .kindUnknown }
            return .ec(curve: curve, x: try bytes("x"), y: try bytes("y"))
        case "OKP":
            guard let name = try text("crv") else { throw .malformed }
            guard name.isExactly("Ed25519") else { throw .kindUnknown }
            return .ed25519(x: try bytes("x"))
        case "oct":
            guard isLocal else { throw .secretFromNetwork }
            return .symmetric(try bytes("k"))
        case .none: throw .malformed
        case .some: throw .kindUnknown
        }
    }

    /// A member that has to be a string where it is there.
    private func text(_ name: String) throws(KeySet.SkippedKey.Reason) -> String? {
        guard let member = node[name] else { return nil }
        guard case .string(let text) = member.value else { throw .malformed }
        return text
    }

    /// A member that has to be there, in base64url.
    private func bytes(_ name: String) throws(KeySet.SkippedKey.Reason) -> [UInt8] {
        guard let text = try text(name), let bytes = Base64URL.decode(text.utf8.span) else { throw .malformed }
        return bytes
    }
}
