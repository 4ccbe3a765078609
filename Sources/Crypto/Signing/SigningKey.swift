package import Core

/// A key that signs tokens with one algorithm: HS256, HS384, HS512 or RS256 (RFC 7518 §3.2, §3.3).
package final class SigningKey: Sendable {
    private enum Kind: Sendable {
        case secret([UInt8], SHA2.Size)
        case rsa(RSASigningKey)
    }

    package let algorithm: SignatureAlgorithm
    private let kind: Kind

    /// - Parameter material: the secret of an HS algorithm, or the private key as PKCS #8 in DER.
    /// - Throws: `.unsupported` for another algorithm, `.outOfBounds` for an empty secret and for RSA below 2048 bits.
    package init(_ algorithm: SignatureAlgorithm, material: [UInt8]) throws(KeyMaterialError) {
        self.algorithm = algorithm
        switch algorithm {
        case .hs256, .hs384, .hs512:
            guard !material.isEmpty else { throw .outOfBounds(bits: 0) }
            kind = .secret(material, algorithm.hash)
        case .rs256: kind = .rsa(try RSASigningKey(pkcs8: material))
        case .rs384, .rs512, .ps256, .ps384, .ps512, .es256, .es384, .es512, .eddsa: throw .unsupported
        }
    }

    /// Makes material that `init` takes: a secret as long as the hash, or an RSA key of 2048 bits, which takes a while.
    package static func newMaterial(for algorithm: SignatureAlgorithm) throws(KeyMaterialError) -> [UInt8] {
        switch algorithm {
        case .hs256, .hs384, .hs512: SecureRandom.bytes(algorithm.hash.byteCount)
        case .rs256: try RSASigningKey.generate().pkcs8()
        case .rs384, .rs512, .ps256, .ps384, .ps512, .es256, .es384, .es512, .eddsa: throw .unsupported
        }
    }

    /// Material for RS256 of an RSA private key that somebody brings, 2048 to 8192 bits: PKCS #8 in PEM form (RFC 7468 §10),
    /// not encrypted, and no other key in the text.
    package static func material(fromPEM text: Span<UInt8>) throws(KeyMaterialError) -> [UInt8] {
        try RSASigningKey(pem: text).pkcs8()
    }

    /// The signature of `message` as it stands in a token, before base64url. Nil only when OpenSSL is out of memory.
    package func signature(of message: Span<UInt8>) -> [UInt8]? {
        switch kind {
        case .secret(let secret, let size):
            let code = SHA2.authenticationCode(key: secret.span, message, size)
            return code.span.extracting(0..<size.byteCount).copied()
        case .rsa(let key): return key.signature(of: message)
        }
    }

    /// What verifies its signatures: modulus and exponent, or the secret itself, which is not to be published.
    package var verificationMaterial: KeyMaterial {
        switch kind {
        case .secret(let secret, _): .symmetric(secret)
        case .rsa(let key): .rsa(modulus: key.modulus, exponent: key.exponent)
        }
    }
}
