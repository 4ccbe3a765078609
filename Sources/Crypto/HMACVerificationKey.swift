import Core

/// A shared secret (RFC 7518 §3.2).
final class HMACVerificationKey: VerificationKey {
    private let secret: [UInt8]
    let algorithms: [SignatureAlgorithm] = [.hs256, .hs384, .hs512]
    var bits: Int { secret.count &* 8 }

    init(_ secret: [UInt8]) throws(KeyMaterialError) {
        guard !secret.isEmpty else { throw .outOfBounds(bits: 0) }
        self.secret = secret
    }

    func verifies(_ signature: Span<UInt8>, of message: Span<UInt8>, using algorithm: SignatureAlgorithm) -> Bool {
        guard algorithms.contains(algorithm) else { return false }
        let size = algorithm.hash
        guard signature.count == size.byteCount else { return false }
        let secret = secret
        let code = SHA2.authenticationCode(key: secret.span, message, size)
        // Every byte is looked at, so that time does not tell how many were right.
        var difference: UInt8 = 0
        for index in signature.indices { difference |= signature[index] ^ code[index] }
        return difference == 0
    }
}
