/// How an exchange can end badly when it is too late, or pointless, to answer with a refusal. Stable identifiers, in the
/// access log and the metrics beside the reasons of refusals.
enum ExchangeFault: String, CaseIterable {
    /// The client closed its connection before the answer was whole.
    case clientLeft = "client_left"
    /// The client did not take the answer, or did not finish its request, in time.
    case clientTimedOut = "client_timed_out"
    /// The upstream's answer ended before its end, so the client's was cut too.
    case upstreamCut = "upstream_cut"
    /// Nothing passed either way for the route's `idle_timeout` after the answer had begun.
    case answerIdle = "idle_timeout"
    /// The route's `timeout` passed after the answer had begun.
    case outlasted = "route_timeout_cut"
    /// The drain's time was over before the exchange was.
    case drainTimedOut = "drain_timeout"
    /// Nothing passed through an upgraded connection for too long.
    case tunnelIdle = "upgrade_idle_timeout"
    /// An upgraded connection reached the age its route allows.
    case tunnelOutlived = "upgrade_lifetime"
    /// An upgraded connection was asked to end because the gateway drains.
    case tunnelDrained = "gateway_draining"
    /// A message of HTTP/2 that is none, so that its stream was reset (RFC 9113 §8.1.1).
    case streamMalformed = "stream_malformed"
}
