/// Why a key that is known is not accepted. Whether a key exists is not told to whoever does not hold it, so the answer
/// may be the same for all of them; the access log tells them apart.
package enum APIKeyFault: Error, Equatable, Sendable, CaseIterable {
    /// The record says `"enabled": false`.
    case disabled
    /// The secret's `not_before` lies ahead.
    case notYetValid
    /// The secret's `expires_at` has come.
    case expired
}
