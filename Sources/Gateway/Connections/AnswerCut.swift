/// How an answer that has begun and cannot be finished is cut. The client must never take it for whole.
enum AnswerCut {
    /// At once: the client takes nothing, or is not to get more.
    case now
    /// Behind what is queued. `showsLength`: the head says where the answer ends, by `Content-Length` or chunks (RFC 9112 §6.3), so
    /// that an ordinary end of the connection shows that it is cut. Where it does not, only a reset does.
    case afterQueued(showsLength: Bool)
}
