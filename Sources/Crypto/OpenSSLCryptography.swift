package import Core

/// What the policy asks of a cryptographic library, answered by OpenSSL 3. Holds no state.
package struct OpenSSLCryptography: Cryptography {
    package init() {}

    package func sha256(_ bytes: Span<UInt8>) -> Digest256 { SHA2.sha256(bytes) }

    package func hmacSHA256(key: Span<UInt8>, _ bytes: Span<UInt8>) -> Digest256 {
        SHA2.hmacSHA256(key: key, bytes)
    }

    package func verificationKey(from material: KeyMaterial) throws(KeyMaterialError) -> any VerificationKey {
        switch material {
        case .rsa(let modulus, let exponent):
            try RSAVerificationKey(modulus: modulus, exponent: exponent)
        case .ec(let curve, let x, let y):
            try ECVerificationKey(curve: curve, x: x, y: y)
        case .ed25519(let x):
            try Ed25519VerificationKey(x)
        case .symmetric(let secret):
            try HMACVerificationKey(secret)
        }
    }

    package func verificationKeys(fromPEM text: Span<UInt8>) throws(KeyMaterialError) -> [any VerificationKey] {
        var keys: [any VerificationKey] = []
        for material in try PEM.keyMaterials(text) { keys.append(try verificationKey(from: material)) }
        return keys
    }
}
