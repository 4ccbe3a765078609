import Core

/// What a connection that outlives its request was let in with, so that it can be asked again whether it still may.
/// Made only for requests that may change the protocol of their connection.
final class Admission: Sendable {
    /// The request's head as it was decided on.
    let head: RequestHead
    let connection: ConnectionFacts
    /// Whom each credential stood for, in the order the route asked for them; none for nobody.
    let identities: [Identity]
    /// When the first of the credentials ends; nil when none does.
    let validUntil: WallTime?
    /// What becomes of the connection then.
    let ending: Denial

    /// - Parameter endsWithCredential: false where nobody is refused.
    init(
        _ head: RequestHead, _ connection: ConnectionFacts, identities: [Identity], endsWithCredential: Bool, now: WallTime
    ) {
        self.head = head
        self.connection = connection
        self.identities = identities
        var end: WallTime?
        var ending = Denial.token(.expired)
        for identity in identities {
            guard let (moment, denial) = identity.end(seenAt: now), moment < end ?? .distantFuture else {
                continue
            }
            (end, ending) = (moment, denial)
        }
        validUntil = endsWithCredential ? end : nil
        self.ending = ending
    }
}

extension Identity {
    /// When the credential ends, and why it is refused from then on; nil when it does not.
    ///
    /// A token ends with its `exp`. The leeway, which is for clocks that differ, helps only the token that was shown after
    /// `exp`: then it ends with the leeway.
    fileprivate func end(seenAt now: WallTime) -> (WallTime, Denial)? {
        switch self {
        case .anonymous: nil
        case .apiKey(let record, let authenticator):
            authenticator.table.expiry(of: record).map { ($0, .keyExpired) }
        case .token(let token):
            token.expiresAt == .distantFuture
                ? nil : (now < token.expiresAt ? token.expiresAt : token.usableUntil, .token(.expired))
        case .certificate(let identity): (identity.certificate.notAfter, .certificateExpired)
        }
    }
}
