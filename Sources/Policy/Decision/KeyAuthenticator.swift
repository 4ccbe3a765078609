import Core

/// Judges API keys: a table of records and how its digests are made. Immutable.
package final class KeyAuthenticator: Sendable {
    /// Whether the store has a part in it.
    enum Stored: Sendable {
        case none
        /// The keys of the policy's files, beside which there are stored ones: a place in a `DirectoryView`.
        case beside(Int)
        /// The stored keys.
        case itself
    }

    /// The authenticator's name.
    package let name: String
    package let table: APIKeyTable
    /// HMAC key of the digests; plain SHA-256 without one.
    private let pepper: [UInt8]?
    private let cryptography: any Cryptography
    /// The limits that replace the route's, by the place of the record's list in the table.
    private let limitLists: [LimitList?]
    let stored: Stored
    /// A realm may stand behind a bearer key, a comma between them.
    let takesRealmSuffix: Bool

    /// A longer key is unknown without being hashed.
    static let keyByteLimit = FixedBounds.apiKeyBytes

    init(
        name: String, table: APIKeyTable, pepper: [UInt8]?, cryptography: any Cryptography, limitLists: [LimitList?],
        stored: Stored = .none, takesRealmSuffix: Bool = false
    ) {
        self.name = name
        self.table = table
        self.pepper = pepper
        self.cryptography = cryptography
        self.limitLists = limitLists
        self.stored = stored
        self.takesRealmSuffix = takesRealmSuffix
    }

    /// There are stored keys beside these.
    var takesStored: Bool {
        switch stored {
        case .beside: true
        case .none, .itself: false
        }
    }

    /// The keys are those of the store.
    var isStored: Bool {
        switch stored {
        case .itself: true
        case .none, .beside: false
        }
    }

    func digest(_ key: Span<UInt8>) -> Digest256 {
        guard let pepper else { return cryptography.sha256(key) }
        return cryptography.hmacSHA256(key: pepper.span, key)
    }

    /// The record that `digest` opens, or why it opens none.
    func judge(_ digest: Digest256, now: WallTime) -> KeyVerdict {
        guard let record = table.lookup(digest) else { return .refused(.credentialUnknown) }
        guard let fault = table.fault(of: record, now: now) else { return .accepted(record) }
        switch fault {
        case .disabled: return .refused(.keyDisabled)
        case .notYetValid: return .refused(.keyNotYetValid)
        case .expired: return .refused(.keyExpired)
        }
    }

    /// The limits of this key alone; nil where the route's apply.
    func limits(of record: APIKeyTable.Record) -> LimitList? {
        guard let index = table.limitsIndex(of: record), index < limitLists.count else { return nil }
        return limitLists[index]
    }
}

/// What a key turned out to be.
enum KeyVerdict {
    case accepted(APIKeyTable.Record)
    case refused(Denial)
}
