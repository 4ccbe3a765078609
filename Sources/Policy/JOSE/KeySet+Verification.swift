import Core

extension KeySet {
    /// What the keys say to a signature.
    enum SignatureCheck {
        /// By a key of this realm; nil for one of every realm.
        case good(realm: String?)
        case forged
        /// There is a key of that `kid`, but not for that algorithm.
        case algorithmUnfit
        /// The document has a key of that `kid` that may not be used, or more fit a token without `kid` than are tried.
        case keyUnusable
        /// A newer document may have it.
        case keyUnknown
    }

    /// Checks a signature with the keys of exactly the token's `kid` that serve its algorithm. Where no key of that `kid` does, and for
    /// a token without `kid`, others are tried: those that have no `kid` themselves, and for a token without one all that fit, the
    /// first `keysTried` in the order of the document. A key is never used for an algorithm that it is not for.
    func verify(_ token: borrowing CompactToken, signed: Span<UInt8>) -> SignatureCheck {
        guard let kid = token.header.kid, !servesAnyKid else { return verify(token, signed: signed, withAnyKeyOf: keys[...]) }
        let algorithm = token.header.algorithm
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
        if case .forged = check { return check }
        // A newer document may have a key of this `kid`, so that a failure says nothing of the token.
        if hasKeysWithoutKid,
            case .good(let realm) = verify(token, signed: signed, withAnyKeyOf: keys.filter { $0.kid == nil }[...])
        {
            return .good(realm: realm)
        }
        if case .keyUnknown = check, skipped.contains(where: { $0.kid?.isExactly(kid) ?? false }) {
            return .keyUnusable
        }
        return check
    }

    /// Tries the first keys that serve the token's algorithm.
    private func verify(
        _ token: borrowing CompactToken, signed: Span<UInt8>, withAnyKeyOf keys: ArraySlice<Key>
    ) -> SignatureCheck {
        let algorithm = token.header.algorithm
        var tried = 0
        for key in keys where key.serves(algorithm) {
            // The rest were not asked. The gateway's own are tried newest first, and older ones are not missed.
            if tried == Self.keysTried { return isOwn ? .forged : .keyUnusable }
            tried += 1
            if key.verification.verifies(token.signature.span, of: signed, using: algorithm) { return .good(realm: key.realm) }
        }
        return tried == 0 ? .keyUnknown : .forged
    }
}
