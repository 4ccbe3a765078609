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
    /// What it sent is no HTTP/1 response.
    case invalidAnswer
    /// The answer ended before its end.
    case cut

    /// What the client is told when its answer had not begun.
    var denial: Denial {
        switch self {
        case .connectFailed: .upstreamUnreachable
        case .connectTimedOut: .upstreamConnectTimeout
        case .tlsFailed: .upstreamTLSFailed
        case .closedBeforeAnswer, .cut: .upstreamClosed
        case .answerTimedOut, .stalled: .upstreamTimeout
        case .invalidAnswer: .upstreamInvalidResponse
        }
    }
}
