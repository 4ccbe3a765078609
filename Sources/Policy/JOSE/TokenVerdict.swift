/// What becomes of a token that was shown.
package enum TokenVerdict: Sendable {
    case verified(VerifiedToken)
    case refused(TokenFault)
    /// Its `iss` is none of this verifier's. Never answered by an `IssuerTable`, which refuses such a token instead.
    case notMine
    /// The key set has no such key now but a fetch may bring it. Who can wait asks the cell's
    /// `mayRefetch(forUnknownKid:now:)`, waits when that says so, and verifies again; who cannot refuses with `fault`
    /// (`.keyUnknown`, or `.keySetUnavailable` where there are no keys at all).
    case unknownKey(KeySetCell, kid: String?, fault: TokenFault)
}
