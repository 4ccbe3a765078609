package import Core

/// The API keys of one authenticator: from the digest of a shown key to its record. Immutable.
///
/// Storage is compact: 62 bytes a key with one secret, and the bytes of its id and, where it differs, its subject.
/// Scopes, address lists and limit lists are shared by the records that have the same ones. Digests lie sorted into
/// short groups chosen by a keyed hash, two to a group on average, so a lookup costs the same with ten keys and with
/// ten million.
package final class APIKeyTable: Sendable {
    /// One secret of one key, as found by `lookup`. Means something to the table it came from only.
    package struct Record: Equatable, Sendable {
        let secret: UInt32
        let key: UInt32
    }

    /// Limit names that replace the route's, as one or more records give them.
    package struct LimitNames: Equatable, Sendable {
        package let names: [String]
        /// The first record that has them, for messages.
        package let firstID: String
        package let position: SourcePosition
    }

    /// What many records have in common.
    struct Profile: Sendable {
        let scopes: ScopeSet
        /// Nil allows every address.
        let addresses: AddressSet?
        /// Index in `limitLists`, nil for the route's limits.
        let limits: Int?
        /// The realm the keys are locked to.
        let realm: String?
    }

    /// A secret without its digest. Times are whole seconds since 1970, rounded so that validity never gets longer;
    /// those beyond the year 2106 end there.
    struct Secret: Sendable {
        static let always: UInt32 = 0
        static let never = UInt32.max

        let key: UInt32
        let notBefore: UInt32
        let expiresAt: UInt32
    }

    struct Key: Sendable {
        /// Where the id begins in the text; the subject follows it, unless it is the id.
        let text: UInt32
        let profile: UInt32
        let subjectByteCount: UInt16
        let idByteCount: UInt8
        let isEnabled: Bool

        var idRange: Range<Int> { Int(text)..<Int(text) + Int(idByteCount) }
        /// A subject count of 0 says that the id is the subject.
        var subjectRange: Range<Int> {
            subjectByteCount == 0 ? idRange : idRange.upperBound..<idRange.upperBound + Int(subjectByteCount)
        }
    }

    /// The distinct limit lists of all records; `limitsIndex(of:)` points here.
    package let limitLists: [LimitNames]
    private let seed: HashSeed
    /// Group `g` of the secrets is `groupStarts[g]..<groupStarts[g + 1]`.
    private let groupStarts: ContiguousArray<UInt32>
    private let digests: ContiguousArray<Digest256>
    private let secrets: ContiguousArray<Secret>
    private let keys: ContiguousArray<Key>
    private let text: ContiguousArray<UInt8>
    private let profiles: [Profile]

    init(
        seed: HashSeed, groupStarts: ContiguousArray<UInt32>, digests: ContiguousArray<Digest256>,
        secrets: ContiguousArray<Secret>, keys: ContiguousArray<Key>, text: ContiguousArray<UInt8>,
        profiles: [Profile], limitLists: [LimitNames]
    ) {
        self.seed = seed
        self.groupStarts = groupStarts
        self.digests = digests
        self.secrets = secrets
        self.keys = keys
        self.text = text
        self.profiles = profiles
        self.limitLists = limitLists
    }

    /// Without keys.
    package static let empty = APIKeyTable(
        seed: HashSeed(0, 0), groupStarts: [0, 0], digests: [], secrets: [], keys: [], text: [], profiles: [],
        limitLists: [])

    /// Keys in the table.
    package var count: Int { keys.count }

    /// Bytes of the parts that grow with the number of keys.
    package var storageBytes: Int {
        groupStarts.capacity * MemoryLayout<UInt32>.stride + digests.capacity * MemoryLayout<Digest256>.stride
            + secrets.capacity * MemoryLayout<Secret>.stride + keys.capacity * MemoryLayout<Key>.stride + text.capacity
    }

    /// The secret with this digest, whether it may be used now or not; nil when no key has it. Does not allocate.
    package func lookup(_ digest: Digest256) -> Record? {
        let group = Self.group(of: digest, count: groupStarts.count - 1, seed: seed)
        for index in Int(groupStarts[group])..<Int(groupStarts[group + 1]) where digests[index] == digest {
            return Record(secret: UInt32(truncatingIfNeeded: index), key: secrets[index].key)
        }
        return nil
    }

    /// The secret that a family names, as `lookup` finds one; at most one, since nobody makes two secrets whose digests
    /// begin alike.
    package func lookup(_ family: KeyFamily) -> Record? {
        let group = Self.group(of: family.high, count: groupStarts.count - 1, seed: seed)
        for index in Int(groupStarts[group])..<Int(groupStarts[group + 1]) where KeyFamily(digests[index]) == family {
            return Record(secret: UInt32(truncatingIfNeeded: index), key: secrets[index].key)
        }
        return nil
    }

    /// What stands against using the key now; nil when it may be used. A disabled key is disabled whatever its times
    /// say.
    package func fault(of record: Record, now: WallTime) -> APIKeyFault? {
        if !keys[Int(record.key)].isEnabled { return .disabled }
        let secret = secrets[Int(record.secret)]
        let second = now.seconds
        if secret.expiresAt != Secret.never, second >= Int64(secret.expiresAt) { return .expired }
        if second < Int64(secret.notBefore) && secret.notBefore != Secret.always { return .notYetValid }
        return nil
    }

    /// When the secret stops to be valid; nil when it does not.
    package func expiry(of record: Record) -> WallTime? {
        let secret = secrets[Int(record.secret)]
        return secret.expiresAt == Secret.never ? nil : WallTime(seconds: Int64(secret.expiresAt))
    }

    /// Secrets in the table.
    var secretCount: Int { secrets.count }

    /// - Parameter index: below `secretCount`.
    func record(at index: Int) -> Record {
        Record(secret: UInt32(truncatingIfNeeded: index), key: secrets[index].key)
    }

    /// The digest of the secret.
    func digest(of record: Record) -> Digest256 { digests[Int(record.secret)] }

    /// The secrets of the keys that have one of these ids, by id. O(n).
    func records(ofIDs ids: Set<String>) -> [String: [Record]] {
        var keyIDs: [UInt32: String] = [:]
        for index in keys.indices {
            let id = String(decoding: text[keys[index].idRange], as: UTF8.self)
            if ids.contains(id) { keyIDs[UInt32(truncatingIfNeeded: index)] = id }
        }
        var records: [String: [Record]] = [:]
        for index in secrets.indices {
            let key = secrets[index].key
            guard let id = keyIDs[key] else { continue }
            records[id, default: []].append(Record(secret: UInt32(truncatingIfNeeded: index), key: key))
        }
        return records
    }

    package func appendID(of record: Record, to bytes: inout [UInt8]) {
        let text = text
        bytes.append(contentsOf: text.span.extracting(keys[Int(record.key)].idRange))
    }

    package func appendSubject(of record: Record, to bytes: inout [UInt8]) {
        let text = text
        bytes.append(contentsOf: text.span.extracting(keys[Int(record.key)].subjectRange))
    }

    package func scopes(of record: Record) -> ScopeSet { profile(of: record).scopes }

    /// The addresses the key may be used from; nil for every address.
    package func addresses(of record: Record) -> AddressSet? { profile(of: record).addresses }

    /// Which of `limitLists` replaces the route's limits; nil when the route's hold.
    package func limitsIndex(of record: Record) -> Int? { profile(of: record).limits }

    /// The realm the key is locked to.
    package func realm(of record: Record) -> String? { profile(of: record).realm }

    private func profile(of record: Record) -> Profile { profiles[Int(keys[Int(record.key)].profile)] }

    /// The group a digest belongs to. Keyed, so that nobody can prepare keys that crowd one group.
    static func group(of digest: Digest256, count: Int, seed: HashSeed) -> Int {
        group(of: digest.a, count: count, seed: seed)
    }

    private static func group(of word: UInt64, count: Int, seed: HashSeed) -> Int {
        let hash = FastHash.hash(word, seed: seed)
        return Int(truncatingIfNeeded: hash.multipliedFullWidth(by: UInt64(count)).high)
    }
}
