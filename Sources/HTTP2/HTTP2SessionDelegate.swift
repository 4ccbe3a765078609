package import Core

/// Who is told what happens on a session's streams. Called from within `receive` and `writePending`; may call everything
/// of the session but those two.
package protocol HTTP2SessionDelegate: AnyObject {
    /// Content arrived. Its bytes count against the peer's windows until `consumed` gives them back.
    func session(_ session: HTTP2Session, received content: Span<UInt8>, on stream: HTTP2Stream)

    /// The peer ended its side behind content; `trailers` has no fields when there were none. Not called when the head
    /// itself was the end (`stream.isRemoteEnded`).
    func session(_ session: HTTP2Session, receivedEndOf stream: HTTP2Stream, trailers: inout TrailerSection)

    /// The stream is closed: regularly when both sides ended and the code is `.noError`, cut short otherwise. The last
    /// event of a stream.
    func session(_ session: HTTP2Session, closed stream: HTTP2Stream, code: HTTP2ErrorCode)

    /// A stream for which `noticeWhenTaken` was asked has room again.
    func session(_ session: HTTP2Session, canTakeMoreOn stream: HTTP2Stream)
}

/// Who answers the requests of a client's session.
package protocol HTTP2ServerDelegate: HTTP2SessionDelegate {
    /// A request's head is complete. `head` may be swapped for another: it is reused. The request has no content when
    /// `stream.isRemoteEnded`.
    func session(_ session: HTTP2ServerSession, received head: inout RequestHead, on stream: HTTP2Stream)

    /// A request that may be answered but not forwarded; what could be read of it stands in `head`. Its content is
    /// dropped unseen.
    func session(
        _ session: HTTP2ServerSession, refused fault: RequestFault, head: inout RequestHead, on stream: HTTP2Stream)

    /// The answer is whole, its end written, and the request is not: the stream is to be reset with `.noError` some time, so that the
    /// client stops sending it (RFC 9113 §8.1). Until then its content comes as before.
    func session(_ session: HTTP2ServerSession, answeredBeforeEndOf stream: HTTP2Stream)

    /// A message that is none (RFC 9113 §8.1.1) came and its stream is being reset. No other event of the stream comes.
    func session(_ session: HTTP2ServerSession, reset head: inout RequestHead, on stream: HTTP2Stream)
}

/// Who gets the answers of an upstream's session.
package protocol HTTP2ClientDelegate: HTTP2SessionDelegate {
    /// An interim response (1xx).
    func session(_ session: HTTP2ClientSession, receivedInterim head: inout ResponseHead, on stream: HTTP2Stream)

    /// The final response's head. `head` may be swapped for another: it is reused. The response has no content when
    /// `stream.isRemoteEnded`.
    func session(_ session: HTTP2ClientSession, received head: inout ResponseHead, on stream: HTTP2Stream)

    /// The response cannot be forwarded, and the stream is being reset: `closed` follows.
    func session(_ session: HTTP2ClientSession, refused fault: ResponseFault, on stream: HTTP2Stream)

    /// The upstream's SETTINGS came, or it takes no more streams: `canOpenStream` may have changed.
    func sessionLimitsChanged(_ session: HTTP2ClientSession)

    /// The upstream answered a PING.
    func sessionReceivedPong(_ session: HTTP2ClientSession)
}
