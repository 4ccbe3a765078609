import Core

extension KeySet {
    /// What the keys say to a signature.
    enum SignatureCheck {
        /// By a key of this realm; nil for one of every realm.
        case good(realm: String?)
        case forged
        /// There is a key of that `kid`, but not for that algorithm.
        case algorithmUnfit
        /// The document has a key of that `kid` that may not be used, or several fit a token without `kid`.
        case keyUnusable
        /// A newer document may have it.
        case keyUnknown
    }

    /// Checks a signature with the keys of exactly the token's `kid` that serve its algorithm; without `kid`, with the
    /// only key that serves it (wire rule: never one after the other, but for the gateway's own keys).
    func verify(_ token: borrowing CompactToken, signed: Span<UInt8>) -> SignatureCheck {
        let algorithm = token.header.algorithm
        guard let kid = token.header.kid, !servesAnyKid else {
            let fitting = keys.filter { $0.serves(algorithm) }
            guard let key = fitting.first else { return .keyUnknown }
            if isOwn {
                let signer = fitting.prefix(Self.keysPerKid).first {
                    $0.verification.verifies(token.signature.span, of: signed, using: algorithm)
                }
                return signer.map { .good(realm: $0.realm) } ?? .forged
            }
            guard fitting.count == 1 else { return .keyUnusable }
            return key.verification.verifies(token.signature.span, of: signed, using: algorithm)
                ? .good(realm: key.realm) : .forged
        }
        var check = SignatureCheck.keyUnknown
        for key in keys {
            guard let keyID = key.kid, keyID.isExactly(kid) else { continue }
            guard key.serves(algorithm) else {
                if case .keyUnknown = check { check = .algorithmUnfit }
                continue
            }
            if key.verification.verifies(token.signature.span, of: signed, using: algorithm) { return .good(realm: key.realm) }
            check = .forged
        }
        if case .keyUnknown = check, skipped.contains(where: { $0.kid?.isExactly(kid) ?? false }) {
            return .keyUnusable
        }
        return check
    }
}
