package import Core

/// The verification keys of one issuer, immutable. Made whole from a document or not at all, so that rubbish never
/// replaces good keys.
///
/// Keys of one `kid`, and keys without one, may stand beside each other (an issuer in the middle of a change does that); those that
/// fit the token's algorithm are tried in the order of the document, at most `keysTried` of them.
package final class KeySet: Sendable {
    /// One key a token may be verified with.
    package struct Key: Sendable {
        package let kid: String?
        /// What the key is for: its own `alg`, else everything its kind can do. Never empty.
        package let algorithms: [SignatureAlgorithm]
        package let verification: any VerificationKey
        /// The realm whose tokens it signs; nil for every one.
        package var realm: String?

        func serves(_ algorithm: SignatureAlgorithm) -> Bool { algorithms.contains(algorithm) }
    }

    /// A key of the document that is not used, and why.
    package struct SkippedKey: Sendable, Equatable {
        package enum Reason: String, Sendable, CaseIterable {
            case malformed = "malformed"
            case kindUnknown = "key type not supported"
            case notForSignatures = "not for verifying signatures"
            case algorithmUnfit = "algorithm does not fit the key"
            case weak = "key too short or out of bounds"
            case secretFromNetwork = "shared secret in a fetched document"
            case privateKey = "private key: who can read the document can sign with it"
            /// Of this key and of all that follow it.
            case beyondLimit = "more keys than are read, and neither are those after it"
        }

        /// Place in the `keys` array, from 0.
        package let index: Int
        package let kid: String?
        package let reason: Reason
    }

    /// The keys that one token is tried with: each costs a forger's token a verification. More fitting keys under one `kid` than this
    /// make a document invalid.
    static let keysTried = 4

    /// In the order of the document; at least one, but in a set that is kept in the store.
    package let keys: [Key]
    package let skipped: [SkippedKey]
    /// SHA-256 of the document and of how it was read: two sets with one fingerprint are the same set.
    package let fingerprint: Digest256
    /// Keys that were given without any `kid` (PEM) verify tokens of every `kid`.
    let servesAnyKid: Bool
    /// There are keys that may serve tokens of a `kid` that no other key has.
    let hasKeysWithoutKid: Bool

    /// The gateway's own keys, all of one issuer.
    let isOwn: Bool

    init(
        keys: [Key], skipped: [SkippedKey], fingerprint: Digest256, servesAnyKid: Bool = false, isOwn: Bool = false
    ) {
        self.keys = keys
        self.skipped = skipped
        self.fingerprint = fingerprint
        self.servesAnyKid = servesAnyKid
        hasKeysWithoutKid = keys.contains { $0.kid == nil }
        self.isOwn = isOwn
    }

    /// No secret is shorter, whatever the policy allows.
    static let leastSecretBits = 128
}

extension SignatureAlgorithm {
    /// The least bits of an HMAC secret (RFC 7518 §3.2); nil for signatures by key pairs.
    var secretBits: Int? {
        switch self {
        case .hs256: 256
        case .hs384: 384
        case .hs512: 512
        case .rs256, .rs384, .rs512, .ps256, .ps384, .ps512, .es256, .es384, .es512, .eddsa: nil
        }
    }
}
