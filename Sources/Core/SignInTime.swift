/// How late the sign-ins were that a user's credential came of, by the claims of their tokens in Unix seconds. 0 stands for
/// a claim that no token had. A token that brings a credential has its own; what is kept has the latest of all before it,
/// so that no token brings anything twice.
package struct SignInTime: Equatable, Sendable {
    /// `iat`.
    package var issuedAt: Int64
    /// `exp`.
    package var endsAt: Int64

    /// - Parameters: claims; what is not later than 1970 counts as not there.
    package init(issuedAt: Int64 = 0, endsAt: Int64 = 0) {
        self.issuedAt = max(0, issuedAt)
        self.endsAt = max(0, endsAt)
    }

    /// Whether a token of this time brings something newer than what is kept: it was issued later than all before it, or,
    /// where it does not say when, ends later.
    package func isNewer(than kept: SignInTime) -> Bool {
        issuedAt > 0 ? issuedAt > kept.issuedAt : endsAt > kept.endsAt
    }

    /// The time of what a token of this time puts in the place of something kept.
    package func following(_ kept: SignInTime) -> SignInTime {
        SignInTime(issuedAt: max(issuedAt, kept.issuedAt), endsAt: max(endsAt, kept.endsAt))
    }

    /// Whether something with this time was put in the place of something with the other one. Times that follow each other
    /// differ in one direction only; of others, which come of two processes, `iat` decides.
    package func isLater(than other: SignInTime) -> Bool {
        (issuedAt, endsAt) > (other.issuedAt, other.endsAt)
    }
}
