/// Whose requests are refused most. Names are ids of credentials or, where none was recognised, the fingerprint of what was
/// shown: never a secret.
package struct CredentialCounts: Sendable {
    /// Refused by a limit.
    package var limited = BusiestNames()
    /// Shown and bad: unknown, expired, disabled, forged.
    package var failing = BusiestNames()

    package init() {}

    package mutating func merge(_ other: CredentialCounts) {
        limited.merge(other.limited)
        failing.merge(other.failing)
    }
}
