/// Why records cannot stand in one table.
package enum APIKeyTableError: Error, Equatable, Sendable {
    case duplicateID(String)
    /// Two records, or one twice, with the same digest: the ids of both.
    case duplicateDigest(String, String)
    /// An id or subject beyond `APIKeyBounds`, or a record without secret.
    case malformedRecord(String)
    /// More than `APIKeyBounds.records` records, or more text than 32-bit offsets reach.
    case tooMany

    package var message: String {
        switch self {
        case .duplicateID(let id): "there are two keys with the id \(quoted(id))"
        case .duplicateDigest(let first, let second):
            first == second
                ? "the key \(quoted(first)) has the same digest twice"
                : "the keys \(quoted(first)) and \(quoted(second)) have the same digest"
        case .malformedRecord(let id): "the record of the key \(quoted(id)) is out of bounds"
        case .tooMany: "more than \(APIKeyBounds.records) keys"
        }
    }
}
