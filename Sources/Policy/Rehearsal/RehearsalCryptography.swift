package import Core

/// The cryptography of a rehearsed policy: the real one, except that a credential may name the digest it stands for, so
/// that a test shows a key nobody knows the secret of.
///
/// Only ever part of a snapshot that no request reaches.
package struct RehearsalCryptography: Cryptography {
    private static let mark = Array("portcullis-rehearsal-".utf8)
    private static let digits = 64

    private let base: any Cryptography

    package init(_ base: any Cryptography) { self.base = base }

    /// A value that has this digest here, whatever is done to it.
    /// - Parameter prefix: what the value begins with.
    static func value(for digest: Digest256, prefix: String) -> String {
        prefix + String(decoding: mark, as: UTF8.self) + digest.hex
    }

    package func sha256(_ bytes: Span<UInt8>) -> Digest256 { Self.digest(namedBy: bytes) ?? base.sha256(bytes) }

    package func hmacSHA256(key: Span<UInt8>, _ bytes: Span<UInt8>) -> Digest256 {
        Self.digest(namedBy: bytes) ?? base.hmacSHA256(key: key, bytes)
    }

    package func verificationKey(from material: KeyMaterial) throws(KeyMaterialError) -> any VerificationKey {
        try base.verificationKey(from: material)
    }

    package func verificationKeys(fromPEM text: Span<UInt8>) throws(KeyMaterialError) -> [any VerificationKey] {
        try base.verificationKeys(fromPEM: text)
    }

    private static func digest(namedBy bytes: Span<UInt8>) -> Digest256? {
        let split = bytes.count - digits
        guard split >= mark.count, bytes.extracting(split - mark.count..<split).equals(mark.span) else { return nil }
        return Digest256(hex: bytes.extracting(split..<bytes.count))
    }
}
