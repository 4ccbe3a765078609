import Core

/// What a decision knows of a request beside its head.
struct RequestContext {
    var connection: ConnectionFacts
    var now: ClockReading
    /// The address the request came from, behind the trusted proxies.
    var client: IPAddress
    var isPeerTrusted: Bool
}
