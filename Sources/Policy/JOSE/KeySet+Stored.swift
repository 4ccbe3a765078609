package import Core

extension KeySet {
    /// A key that the gateway itself signs with, as others verify it.
    package struct StoredKey: Sendable {
        package var kid: String
        package var algorithm: SignatureAlgorithm
        package var material: KeyMaterial
        /// Tokens that it signed are good in this realm alone; nil for every one.
        package var realm: String?

        package init(kid: String, algorithm: SignatureAlgorithm, material: KeyMaterial, realm: String? = nil) {
            self.kid = kid
            self.algorithm = algorithm
            self.material = material
            self.realm = realm
        }
    }

    /// The set of keys kept in the store, the newest first; there may be none, and then no token is good. A token without
    /// `kid` is tried with the newest `keysTried` that fit it: all of them are our own.
    package static func stored(_ keys: [StoredKey], cryptography: any Cryptography) -> KeySet {
        var usable: [Key] = []
        var text: [UInt8] = []
        for key in keys {
            guard let verification = try? cryptography.verificationKey(from: key.material),
                verification.algorithms.contains(key.algorithm)
            else { continue }
            usable.append(Key(kid: key.kid, algorithms: [key.algorithm], verification: verification, realm: key.realm))
            text.append(contentsOf: "\(key.kid) \(key.algorithm.rawValue)\n".utf8)
            switch key.material {
            case .symmetric(let secret): text.append(contentsOf: secret)
            case .rsa(let modulus, let exponent): text.append(contentsOf: modulus + exponent)
            case .ec(_, let x, let y): text.append(contentsOf: x + y)
            case .ed25519(let x): text.append(contentsOf: x)
            }
        }
        return KeySet(keys: usable, skipped: [], fingerprint: cryptography.sha256(text.span), isOwn: true)
    }
}
