import Core

/// The upstream's side of one exchange: an HTTP/1 connection, or a stream of an HTTP/2 connection.
protocol UpstreamStream: AnyObject {
    var server: UpstreamServer { get }

    /// Carries `exchange`: sends its request's head, as `worker.plan` completes it. Content may follow.
    func begin(_ exchange: Exchange, head: inout RequestHead, responseTimeout: Nanoseconds?)
    func sendContent(_ bytes: Span<UInt8>, framing: BodyFraming)
    /// The request is whole.
    func endRequest(framing: BodyFraming, trailers: inout TrailerSection)
    /// So much waits to be taken that no more should be added; `upstreamTookOutput` tells when that is over.
    var isCongested: Bool { get }

    /// The client takes no more for now.
    func pause()
    func resume()
    /// Its exchange needs it no more; what is under way is cut.
    func abandon()
    /// Its exchange, which was a tunnel, needs it no more: what waits to be written is written first.
    func leave()

    /// After a failure: nothing of the request was carried out, so that it may be sent again whatever its method.
    var isUntouched: Bool { get }
    /// It had carried an exchange before, so that it may have been closed by the other side unnoticed.
    var isReused: Bool { get }
    /// After a failure: the whole request so far is still there to be sent again.
    var canReplay: Bool { get }
    /// After a failure: what was sent behind the head, as long as all of it is still there.
    var sentSoFar: SentContent? { get }
}
