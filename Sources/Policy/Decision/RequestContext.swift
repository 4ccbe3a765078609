import Core

/// What a decision knows of a request beside its head. Nothing counted by reference is in it, so it is handed on freely.
struct RequestContext {
    var now: ClockReading
    /// The address the request came from, behind the trusted proxies.
    var client: IPAddress
    var isPeerTrusted: Bool
    /// The request has waited for a key set already.
    var hasWaited: Bool
}
