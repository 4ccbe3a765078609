/// The signature algorithms the gateway verifies (RFC 7518 §3.1, RFC 8037). There is no `none`.
package enum SignatureAlgorithm: String, CaseIterable, Sendable {
    case hs256 = "HS256", hs384 = "HS384", hs512 = "HS512"
    case rs256 = "RS256", rs384 = "RS384", rs512 = "RS512"
    case ps256 = "PS256", ps384 = "PS384", ps512 = "PS512"
    case es256 = "ES256", es384 = "ES384", es512 = "ES512"
    case eddsa = "EdDSA"
}

extension SignatureAlgorithm {
    /// The fully specified name of EdDSA with the only curve that is supported (RFC 9864 §2.2): the same algorithm.
    package static let ed25519Name = "Ed25519"

    /// The algorithm of a registered name, compared byte for byte.
    package init?(name: String) {
        let isEd25519 = name.utf8.elementsEqual(Self.ed25519Name.utf8)
        self.init(rawValue: isEd25519 ? Self.eddsa.rawValue : name)
    }
}

/// The elliptic curves of those algorithms, by their JWK names.
package enum EllipticCurve: String, Sendable {
    case p256 = "P-256", p384 = "P-384", p521 = "P-521"

    package var bits: Int {
        switch self {
        case .p256: 256
        case .p384: 384
        case .p521: 521
        }
    }

    /// Bytes of a coordinate, and of each half of a signature.
    package var coordinateBytes: Int { (bits &+ 7) / 8 }
}

/// The public (or, for HMAC, shared) part of a key as a JWK spells it, decoded from base64url.
package enum KeyMaterial: Sendable {
    case rsa(modulus: [UInt8], exponent: [UInt8])
    case ec(curve: EllipticCurve, x: [UInt8], y: [UInt8])
    case ed25519(x: [UInt8])
    case symmetric([UInt8])
}

/// A key ready to verify with: parsed, checked, and fit for the algorithms it lists and no other.
package protocol VerificationKey: AnyObject, Sendable {
    /// Algorithms this kind of key can serve (an RSA key RS* and PS*, a P-256 key ES256 only, …).
    var algorithms: [SignatureAlgorithm] { get }
    /// Modulus bits, curve bits, or secret bits.
    var bits: Int { get }
    /// True only for a good signature. Wrong lengths, wrong encodings and algorithms that do not fit are false, never a trap.
    func verifies(_ signature: Span<UInt8>, of message: Span<UInt8>, using algorithm: SignatureAlgorithm) -> Bool
}

/// Why key material is refused.
package enum KeyMaterialError: Error, Equatable, Sendable {
    case malformed
    /// RSA below 2048 bits or above 8192, an HMAC secret that is empty.
    case outOfBounds(bits: Int)
    case unsupported
}

/// Everything the policy asks of a cryptographic library. `Crypto` provides it over OpenSSL; tests may provide their own.
package protocol Cryptography: Sendable {
    func sha256(_ bytes: Span<UInt8>) -> Digest256
    func hmacSHA256(key: Span<UInt8>, _ bytes: Span<UInt8>) -> Digest256
    func verificationKey(from material: KeyMaterial) throws(KeyMaterialError) -> any VerificationKey
    /// Reads every PEM public key and certificate ("BEGIN PUBLIC KEY", "BEGIN RSA PUBLIC KEY", "BEGIN CERTIFICATE") of a text, in
    /// order, at least one and at most `FixedBounds.keySetKeys`. A certificate that issued another one of the text has a key for
    /// certificates and is left out. A text with a private key is refused as `.unsupported`.
    func verificationKeys(fromPEM text: Span<UInt8>) throws(KeyMaterialError) -> [any VerificationKey]
}

/// A SHA-256 sized digest.
@usableFromInline
package struct Digest256: Hashable, Sendable {
    @usableFromInline package var a, b, c, d: UInt64

    /// The four big-endian words of the digest, first bytes first.
    package init(_ a: UInt64, _ b: UInt64, _ c: UInt64, _ d: UInt64) {
        self.a = a
        self.b = b
        self.c = c
        self.d = d
    }

    /// Equal without telling by time where two digests differ.
    @inlinable package static func == (x: Digest256, y: Digest256) -> Bool {
        (x.a ^ y.a) | (x.b ^ y.b) | (x.c ^ y.c) | (x.d ^ y.d) == 0
    }
}
