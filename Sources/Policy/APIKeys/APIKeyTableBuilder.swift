package import Core

extension APIKeyTable {
    /// Collects records and makes a table of them.
    package struct Builder {
        /// What decides a record's profile.
        private struct ProfileKey: Hashable {
            let scopes: [String]
            let addresses: [CIDRBlock]
            let limits: [String]
            let realm: String?
        }

        private let seed: HashSeed
        private var digests: ContiguousArray<Digest256> = []
        private var secrets: ContiguousArray<Secret> = []
        private var keys: ContiguousArray<Key> = []
        private var text: ContiguousArray<UInt8> = []
        private var profiles: [Profile] = []
        private var profileIndices: [ProfileKey: UInt32] = [:]
        private var limitLists: [LimitNames] = []
        private var limitIndices: [[String]: Int] = [:]
        private var scopeSets: [[String]: ScopeSet] = [:]
        /// Open addressing over the ids: indices of keys, `UInt32.max` for a vacant place.
        private var idPlaces: ContiguousArray<UInt32> = []

        /// The seed decides where things lie in the table, not what is in it.
        package init(seed: HashSeed) { self.seed = seed }

        /// Draws its seed from the system's randomness.
        package init() {
            var generator = SystemRandomNumberGenerator()
            seed = HashSeed(generator.next(), generator.next())
        }

        /// Keys added so far.
        package var count: Int { keys.count }

        /// Adds one record. Equal digests are found by `build`.
        package mutating func add(_ record: APIKeyConfiguration) throws(APIKeyTableError) {
            guard !record.secrets.isEmpty else { throw .malformedRecord(record.id) }
            let profile = profile(of: record)
            try add(
                id: record.id, subject: record.subject, record.secrets, profile: profile, isEnabled: record.isEnabled)
        }

        /// Adds a stored key. One without secrets opens nothing and is left out.
        mutating func add(_ key: DirectoryKey, scopes: [String], isEnabled: Bool) throws(APIKeyTableError) {
            guard !key.secrets.isEmpty else { return }
            let profile = profile(
                ProfileKey(scopes: scopes, addresses: key.allowedAddresses, limits: key.limits, realm: key.realm),
                firstID: key.id, position: SourcePosition(line: 0, column: 0))
            try add(id: key.id, subject: key.subject, key.secrets, profile: profile, isEnabled: isEnabled)
        }

        private mutating func add(
            id: String, subject: String, _ secrets: [APIKeyConfiguration.Secret], profile: UInt32, isEnabled: Bool
        ) throws(APIKeyTableError) {
            let other = subject == id ? "" : subject
            let key = try addKey(id: id.utf8.span, subject: other.utf8.span, profile: profile, isEnabled: isEnabled)
            for secret in secrets {
                addSecret(secret.digest, notBefore: secret.notBefore, expiresAt: secret.expiresAt, key: key)
            }
        }

        /// Adds a record with one secret and a profile that is known already; an empty subject stands for the id.
        mutating func add(
            id: Span<UInt8>, subject: Span<UInt8>, digest: Digest256, notBefore: WallTime?, expiresAt: WallTime?,
            isEnabled: Bool, profile: UInt32
        ) throws(APIKeyTableError) {
            let subject = subject.equals(id) ? subject.extracting(0..<0) : subject
            let key = try addKey(id: id, subject: subject, profile: profile, isEnabled: isEnabled)
            addSecret(digest, notBefore: notBefore, expiresAt: expiresAt, key: key)
        }

        /// The index of the record's profile, which is made when no record before had the same one.
        mutating func profile(of record: APIKeyConfiguration) -> UInt32 {
            profile(
                ProfileKey(
                    scopes: record.scopes, addresses: record.allowedAddresses, limits: record.limits.map(\.value),
                    realm: record.realm), firstID: record.id, position: record.position)
        }

        private mutating func profile(_ key: ProfileKey, firstID: String, position: SourcePosition) -> UInt32 {
            if let index = profileIndices[key] { return index }
            let index = UInt32(truncatingIfNeeded: profiles.count)
            profiles.append(
                Profile(
                    scopes: scopeSet(key.scopes), addresses: key.addresses.isEmpty ? nil : AddressSet(key.addresses),
                    limits: key.limits.isEmpty ? nil : limitsIndex(key.limits, firstID: firstID, position: position),
                    realm: key.realm))
            profileIndices[key] = index
            return index
        }

        /// The table of everything added. O(n). Throws when two secrets have one digest.
        package consuming func build() throws(APIKeyTableError) -> APIKeyTable {
            let groupCount = max(1, digests.count / 2)
            var starts = ContiguousArray<UInt32>(repeating: 0, count: groupCount + 1)
            for digest in digests { starts[APIKeyTable.group(of: digest, count: groupCount, seed: seed) + 1] += 1 }
            for group in 0..<groupCount { starts[group + 1] += starts[group] }
            var next = starts
            let noDigest = Digest256(0, 0, 0, 0)
            var sortedDigests = ContiguousArray(repeating: noDigest, count: digests.count)
            var sortedSecrets = ContiguousArray(
                repeating: Secret(key: 0, notBefore: 0, expiresAt: 0), count: digests.count)
            for index in digests.indices {
                let group = APIKeyTable.group(of: digests[index], count: groupCount, seed: seed)
                let place = Int(next[group])
                for earlier in Int(starts[group])..<place where sortedDigests[earlier] == digests[index] {
                    throw .duplicateDigest(id(of: sortedSecrets[earlier].key), id(of: secrets[index].key))
                }
                sortedDigests[place] = digests[index]
                sortedSecrets[place] = secrets[index]
                next[group] += 1
            }
            return APIKeyTable(
                seed: seed, groupStarts: starts, digests: sortedDigests, secrets: sortedSecrets,
                keys: Self.exact(keys), text: Self.exact(text), profiles: profiles, limitLists: limitLists)
        }

        // MARK: Keys and secrets

        private mutating func addKey(
            id: Span<UInt8>, subject: Span<UInt8>, profile: UInt32, isEnabled: Bool
        ) throws(APIKeyTableError) -> UInt32 {
            guard (1...APIKeyBounds.idBytes).contains(id.count), subject.count <= APIKeyBounds.subjectBytes else {
                throw .malformedRecord(String(decoding: id.copied(), as: UTF8.self))
            }
            guard keys.count < APIKeyBounds.records, text.count < Int(UInt32.max) - id.count - subject.count else {
                throw .tooMany
            }
            let index = UInt32(truncatingIfNeeded: keys.count)
            keys.append(
                Key(
                    text: UInt32(truncatingIfNeeded: text.count), profile: profile,
                    subjectByteCount: UInt16(truncatingIfNeeded: subject.count),
                    idByteCount: UInt8(truncatingIfNeeded: id.count), isEnabled: isEnabled))
            for position in id.indices { text.append(id[position]) }
            for position in subject.indices { text.append(subject[position]) }
            guard notePlace(of: index) else { throw .duplicateID(self.id(of: index)) }
            return index
        }

        private mutating func addSecret(_ digest: Digest256, notBefore: WallTime?, expiresAt: WallTime?, key: UInt32) {
            var first = Secret.always
            if let notBefore, notBefore > WallTime(seconds: 0) {
                let isWhole = notBefore.nanoseconds % 1_000_000_000 == 0
                first = UInt32(clamping: notBefore.seconds + (isWhole ? 0 : 1))
            }
            var end = Secret.never
            if let expiresAt, expiresAt != .distantFuture {
                end = min(Secret.never - 1, UInt32(clamping: expiresAt.seconds))
            }
            digests.append(digest)
            secrets.append(Secret(key: key, notBefore: first, expiresAt: end))
        }

        private func id(of key: UInt32) -> String {
            String(decoding: text[keys[Int(key)].idRange], as: UTF8.self)
        }

        // MARK: Ids

        /// Remembers the id of the key added last; false when another key has it.
        private mutating func notePlace(of index: UInt32) -> Bool {
            if keys.count * 3 > idPlaces.count * 2 {
                idPlaces = ContiguousArray(repeating: .max, count: max(16, idPlaces.count * 2))
                for earlier in 0..<index { _ = place(earlier) }
            }
            return place(index)
        }

        private mutating func place(_ index: UInt32) -> Bool {
            let text = self.text
            let bytes = text.span
            let id = bytes.extracting(keys[Int(index)].idRange)
            let placeCount = idPlaces.count
            var slot = Int(truncatingIfNeeded: FastHash.hash(id, seed: seed) % UInt64(placeCount))
            while idPlaces[slot] != .max {
                if bytes.extracting(keys[Int(idPlaces[slot])].idRange).equals(id) { return false }
                slot = slot + 1 == placeCount ? 0 : slot + 1
            }
            idPlaces[slot] = index
            return true
        }

        // MARK: Shared parts

        private mutating func scopeSet(_ names: [String]) -> ScopeSet {
            if names.isEmpty { return .empty }
            if let known = scopeSets[names] { return known }
            let set = ScopeSet(names)
            scopeSets[names] = set
            return set
        }

        private mutating func limitsIndex(_ names: [String], firstID: String, position: SourcePosition) -> Int {
            if let known = limitIndices[names] { return known }
            limitLists.append(LimitNames(names: names, firstID: firstID, position: position))
            limitIndices[names] = limitLists.count - 1
            return limitLists.count - 1
        }

        /// A copy without room to grow.
        private static func exact<Element>(_ elements: ContiguousArray<Element>) -> ContiguousArray<Element> {
            var copy = ContiguousArray<Element>()
            copy.reserveCapacity(elements.count)
            copy.append(contentsOf: elements)
            return copy
        }
    }
}
