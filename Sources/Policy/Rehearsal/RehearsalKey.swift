package import Core

/// A key that is thrown away after a rehearsal: signs the tokens of tests, and verifies what it has signed. It stands in
/// for a key of any algorithm, since what is rehearsed is the policy and not the arithmetic.
package final class RehearsalKey: VerificationKey {
    private let secret: [UInt8]
    private let cryptography: any Cryptography

    package let algorithms = SignatureAlgorithm.allCases
    package let bits = 4096

    package init(_ cryptography: any Cryptography) {
        var generator = SystemRandomNumberGenerator()
        secret = (0..<32).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
        self.cryptography = cryptography
    }

    func signature(of message: Span<UInt8>) -> [UInt8] {
        let secret = secret
        let text = cryptography.hmacSHA256(key: secret.span, message).hex
        return Array(text.utf8)
    }

    package func verifies(
        _ signature: Span<UInt8>, of message: Span<UInt8>, using algorithm: SignatureAlgorithm
    ) -> Bool {
        let expected = self.signature(of: message)
        return signature.equals(expected.span)
    }

    /// A key set that knows this key under `kid` for every algorithm, beside the keys of another one.
    func keySet(kid: String, beside set: KeySet?) -> KeySet {
        let secret = secret
        return KeySet(
            keys: (set?.keys ?? []) + [KeySet.Key(kid: kid, algorithms: algorithms, verification: self)],
            skipped: set?.skipped ?? [], fingerprint: cryptography.sha256(secret.span))
    }
}
