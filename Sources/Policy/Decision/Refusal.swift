package import Core

/// A request that is not forwarded, and all that its answer and its record need to know.
package struct Refusal: Sendable {
    package var denial: Denial
    /// Nil when no route was found.
    package var route: Route?
    /// Nil when it is not known yet; then it is the peer.
    package var client: IPAddress?
    /// Who was recognised before the refusal.
    package var identity = Identity.anonymous
    /// The first 32 bits of the digest of the credential that was shown.
    package var fingerprint: UInt32?
    package var rate: RateStatus?
    /// How long to wait before another try makes sense, where the denial knows better than the limits.
    package var retryAfter: Nanoseconds?
    /// For 405: the leaf of the route table whose methods are listed.
    var leaf: Int?

    /// A refusal before any route is known.
    package init(denial: Denial, client: IPAddress?) {
        self.denial = denial
        self.client = client
    }

    /// A refusal of what was granted already: the upstream failed, or the content is too large.
    package init(denial: Denial, after grant: Grant?) {
        self.denial = denial
        route = grant?.route
        client = grant?.client
        identity = grant?.identity ?? .anonymous
        fingerprint = grant?.fingerprint
        rate = grant?.rate
    }
}
