import Core

/// The secrets of a key table by the first 32 bits of their digests, which is what logs have of them.
struct FingerprintIndex {
    private let table: APIKeyTable
    private let entries: [(fingerprint: UInt32, record: APIKeyTable.Record)]

    /// O(n log n) for n secrets.
    init(_ table: APIKeyTable) {
        self.table = table
        entries = table.allRecords.map { (table.digest(of: $0).fingerprint, $0) }.sorted { $0.fingerprint < $1.fingerprint }
    }

    /// The digest of a secret with this fingerprint.
    /// - Parameter id: of its key; nil takes any.
    func digest(_ fingerprint: UInt32, id: String?) -> Digest256? {
        var (low, high) = (0, entries.count)
        while low < high {
            let middle = low + (high - low) / 2
            if entries[middle].fingerprint < fingerprint { low = middle + 1 } else { high = middle }
        }
        for entry in entries[low...] {
            guard entry.fingerprint == fingerprint else { return nil }
            guard let id else { return table.digest(of: entry.record) }
            var text: [UInt8] = []
            table.appendID(of: entry.record, to: &text)
            if text.elementsEqual(id.utf8) { return table.digest(of: entry.record) }
        }
        return nil
    }
}

extension APIKeyTable {
    /// Every secret.
    fileprivate var allRecords: [Record] { (0..<secretCount).map { record(at: $0) } }
}
