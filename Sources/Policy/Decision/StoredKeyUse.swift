/// A stored key that let a request in, as it is counted: comparing and hashing look at no text.
package struct StoredKeyUse: Hashable, Sendable {
    private let table: APIKeyTable
    private let record: APIKeyTable.Record

    /// Nil for an identity without a stored key; a token that was made of one counts as its use.
    package init?(_ identity: Identity) {
        switch identity {
        case .anonymous, .certificate: return nil
        case .apiKey(let record, let authenticator):
            guard authenticator.isStored else { return nil }
            (table, self.record) = (authenticator.table, record)
        case .token(let token):
            guard case .key(let record, let authenticator) = token.parent, authenticator.isStored else { return nil }
            (table, self.record) = (authenticator.table, record)
        }
    }

    /// The key's id.
    package var key: String {
        var id: [UInt8] = []
        table.appendID(of: record, to: &id)
        return String(decoding: id, as: UTF8.self)
    }

    package static func == (a: StoredKeyUse, b: StoredKeyUse) -> Bool {
        a.table === b.table && a.record.key == b.record.key
    }

    package func hash(into hasher: inout Hasher) {
        hasher.combine(ObjectIdentifier(table))
        hasher.combine(record.key)
    }
}
