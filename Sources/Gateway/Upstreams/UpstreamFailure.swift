import Crypto
import Policy

/// What can go wrong with an upstream connection.
enum UpstreamFailure: Equatable {
    case connectFailed
    case connectTimedOut
    /// No secure connection came about.
    case tlsFailed(TLSFault)
    /// The connection ended before a byte of an answer.
    case closedBeforeAnswer
    /// The request is written, the answer did not begin in time.
    case answerTimedOut
    /// The upstream takes no more of the request, or sends no more of the answer.
    case stalled
    /// The answer has begun, and nothing passed either way for too long.
    case idle
    /// What it sent is no HTTP response.
    case invalidAnswer
    /// The answer ended before its end, or its stream was reset before its beginning.
    case cut
    /// The server did nothing about the request (RFC 9113 §8.7): it refused the stream, or never saw it.
    case unprocessed
    /// ALPN chose HTTP/1.1; nothing was sent.
    case chosenHTTP1
    /// The server has said meanwhile whether it takes WebSockets; nothing was sent.
    case nowSettled
    /// The server speaks HTTP/2 alone and takes no WebSockets (RFC 8441 §3); nothing was sent.
    case noWebSockets

    /// What the client is told when its answer had not begun.
    var denial: Denial {
        switch self {
        case .connectFailed: .upstreamUnreachable
        case .connectTimedOut: .upstreamConnectTimeout
        case .tlsFailed: .upstreamTLSFailed
        case .closedBeforeAnswer, .cut, .unprocessed, .chosenHTTP1, .nowSettled: .upstreamClosed
        case .noWebSockets: .noServerAvailable
        case .answerTimedOut, .stalled, .idle: .upstreamTimeout
        case .invalidAnswer: .upstreamInvalidResponse
        }
    }
}
