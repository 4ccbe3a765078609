import Core
import Crypto

/// A refresh token: the family it belongs to and a secret, 64 characters of base64url. Only a digest of the secret is kept.
struct RefreshTokenText: Sendable {
    private static let familyBytes = 16
    private static let secretBytes = 32

    /// The id of the family.
    var family: String
    /// SHA-256 of the secret.
    var digest: Digest256
    var text: String

    /// A new one.
    /// - Parameter family: whose next one it is; nil begins a family.
    init(after family: RefreshTokenText? = nil) {
        let id = family.flatMap { Hex.decode($0.family.utf8.span) } ?? SecureRandom.bytes(Self.familyBytes)
        self.init(id, SecureRandom.bytes(Self.secretBytes))
    }

    /// One that somebody shows; nil when it cannot be one of ours.
    init?(_ text: String) {
        guard text.utf8.count == 64, let bytes = Base64URL.decode(text.utf8.span),
            bytes.count == Self.familyBytes + Self.secretBytes
        else { return nil }
        self.init(Array(bytes.prefix(Self.familyBytes)), Array(bytes.dropFirst(Self.familyBytes)))
    }

    private init(_ id: [UInt8], _ secret: [UInt8]) {
        family = Hex.encode(id.span)
        digest = OpenSSLCryptography().sha256(secret.span)
        let bytes = id + secret
        text = Base64URL.encode(bytes.span)
    }
}
