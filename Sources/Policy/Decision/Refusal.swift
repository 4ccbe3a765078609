package import Core

/// A request that is not forwarded, and all that its answer and its record need to know. A class for the sake of the
/// requests that are forwarded: a decision that could hold all this in place would be slow to hand on.
package final class Refusal: Sendable {
    package let denial: Denial
    /// Nil when no route was found.
    package let route: Route?
    /// Nil when it is not known yet; then it is the peer.
    package let client: IPAddress?
    /// Who was recognised before the refusal.
    package let identity: Identity
    /// Who the credentials beside that one stand for; empty but for `all_of`.
    let others: [Identity]
    /// The first 32 bits of the digest of the credential that was shown.
    package let fingerprint: UInt32?
    /// Where it was shown.
    let shown: CredentialPlan.ProbeIndex
    package let rate: RateStatus?
    /// How long to wait before another try makes sense, where the denial knows better than the limits.
    package let retryAfter: Nanoseconds?
    /// What is wrong in particular, one sentence each; empty where the denial says it all.
    package let messages: [String]
    /// The policy had let the request in before.
    let isGranted: Bool
    /// For `path_ambiguous`: the reading that leads elsewhere.
    package let ambiguity: PathAmbiguity?
    /// For 405: the methods of the resource, as the `Allow` field lists them (RFC 9110 §10.2.1).
    package let allow: [UInt8]?
    /// For 405 without a route: what the first route of the path says to pages of other origins.
    let pathCORS: CORSRule?

    /// A refusal before any route is known.
    package convenience init(denial: Denial, client: IPAddress?) { self.init(denial, client: client) }

    /// A refusal of what was granted already: the upstream failed, or the content is too large.
    package convenience init(
        denial: Denial, after grant: Grant?, messages: [String] = [], retryAfter: Nanoseconds? = nil
    ) {
        self.init(
            denial, client: grant?.client, route: grant?.route, identity: grant?.identity ?? .anonymous,
            others: grant?.others ?? [], fingerprint: grant?.fingerprint, shown: grant?.shown ?? .none, rate: grant?.rate,
            retryAfter: retryAfter, messages: messages, isGranted: grant != nil)
    }

    /// The same request refused because too many wait already.
    package var insteadOfWaiting: Refusal {
        Refusal(
            .overloaded, client: client, route: route, identity: identity, others: others, fingerprint: fingerprint,
            shown: shown)
    }

    /// Where the credential was shown, as the access log names it; empty where none was.
    package var credentialPlace: [UInt8] { route?.credentials.placeName(shown) ?? [] }

    init(
        _ denial: Denial, client: IPAddress?, route: Route? = nil, identity: Identity = .anonymous,
        others: [Identity] = [], fingerprint: UInt32? = nil, shown: CredentialPlan.ProbeIndex = .none, rate: RateStatus? = nil,
        retryAfter: Nanoseconds? = nil, messages: [String] = [], isGranted: Bool = false, allow: [UInt8]? = nil,
        pathCORS: CORSRule? = nil, ambiguity: PathAmbiguity? = nil
    ) {
        self.denial = denial
        self.route = route
        self.client = client
        self.identity = identity
        self.others = others
        self.fingerprint = fingerprint
        self.shown = shown
        self.rate = rate
        self.retryAfter = retryAfter
        self.messages = messages
        self.isGranted = isGranted
        self.allow = allow
        self.pathCORS = pathCORS
        self.ambiguity = ambiguity
    }
}
