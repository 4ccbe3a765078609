import Core

/// One element of a key set document (RFC 7517 §4, RFC 7518 §6, RFC 8037 §2).
struct JWK {
    /// What only private keys have, of any of the three kinds of key pair.
    private static let privateMembers = ["d", "p", "q", "dp", "dq", "qi", "oth"]
    /// Longer ones could not be named by a token.
    private static let kidBytes = TokenHeader.kidBytes

    private let node: JSONNode
    /// Nil also when it is neither a string nor null; then the key is malformed.
    let kid: String?

    init(_ node: JSONNode) {
        self.node = node
        if case .string(let text) = node["kid"]?.value { kid = text } else { kid = nil }
    }

    /// True for a key pair shown whole, whatever its kind: members of that name have no other meaning. Whoever reads the document
    /// can sign with it.
    var isPrivate: Bool {
        if case .string(let kind) = node["kty"]?.value, kind.isExactly("oct") { return false }
        return Self.privateMembers.contains { node[$0] != nil }
    }

    /// What tells the public key of a pair from those of others of its kind: the modulus, or the first coordinate. Nil for a shared
    /// secret, and where it cannot be read.
    var publicNumber: [UInt8]? {
        guard let bytes = (try? bytes("n")) ?? (try? bytes("x")) else { return nil }
        return Array(bytes.drop { $0 == 0 })
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
        if kid == nil, try text("kid") != nil { throw .malformed }
        if let kid, kid.utf8.count > Self.kidBytes || kid.hasControls { throw .malformed }
        // SPIFFE documents say "jwt-svid" for "sig" (JWT-SVID §5.2).
        if let use = try text("use"), !use.isExactly("sig"), !use.isExactly("jwt-svid") { throw .notForSignatures }
        if let operations = node["key_ops"], !operations.isNull {
            guard let texts = try? operations.texts() else { throw .malformed }
            // An empty list names nothing that the key is not for.
            if !texts.isEmpty, !texts.containsExactly("verify") { throw .notForSignatures }
        }
    }

    /// The key's own `alg`, where it has one and it fits; else everything its kind can do.
    private func algorithms(
        among possible: [SignatureAlgorithm]
    ) throws(KeySet.SkippedKey.Reason) -> [SignatureAlgorithm] {
        guard let name = try text("alg") else { return possible }
        guard let algorithm = SignatureAlgorithm(name: name), possible.contains(algorithm) else {
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
            return .ec(curve: curve, x: try coordinate("x", of: curve), y: try coordinate("y", of: curve))
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

    /// A member that has to be a string where it is there; null is absent.
    private func text(_ name: String) throws(KeySet.SkippedKey.Reason) -> String? {
        guard let member = node[name], !member.isNull else { return nil }
        guard case .string(let text) = member.value else { throw .malformed }
        return text
    }

    /// A coordinate in full length (RFC 7518 §6.2.1.2). Some libraries write it as a number: without its leading zeros, or with one
    /// for a sign.
    private func coordinate(_ name: String, of curve: EllipticCurve) throws(KeySet.SkippedKey.Reason) -> [UInt8] {
        let number = try bytes(name).drop { $0 == 0 }
        guard number.count <= curve.coordinateBytes else { throw .malformed }
        return Array(repeating: 0, count: curve.coordinateBytes - number.count) + number
    }

    /// A member that has to be there, in base64url. Padding and the letters of standard base64 are taken too: documents have them,
    /// and no text stands for two keys by that.
    private func bytes(_ name: String) throws(KeySet.SkippedKey.Reason) -> [UInt8] {
        guard let text = try text(name) else { throw .malformed }
        var letters = Array(text.utf8)
        for index in letters.indices {
            if letters[index] == 0x2B { letters[index] = 0x2D }
            if letters[index] == 0x2F { letters[index] = 0x5F }
        }
        if letters.count.isMultiple(of: 4) {
            for _ in 0..<2 where letters.last == 0x3D { letters.removeLast() }
        }
        guard !letters.isEmpty, let bytes = Base64URL.decode(letters.span) else { throw .malformed }
        return bytes
    }
}
