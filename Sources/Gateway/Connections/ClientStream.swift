import Core
import Policy

/// The client's side of one exchange at a time: an HTTP/1 connection, or a stream of an HTTP/2 connection. Heads and
/// answers to be sent stand in the worker's scratch values.
protocol ClientStream: AnyObject {
    var role: ListenerRole { get }
    /// No request is wanted after this one: the gateway drains, or a reload took the listener away.
    var isEnding: Bool { get }
    /// The other end of the socket, whatever a PROXY header says.
    var peerAddress: IPAddress { get }
    /// What the decision is told of the connection.
    var facts: ConnectionFacts { get }
    /// Where requests are sent instead of being served; nil nearly always.
    var redirect: HTTPSRedirect? { get }

    // MARK: The answer

    /// Sends the interim response in `worker.responseHead`, with `worker.lines`.
    func sendInterim()
    /// Sends the head in `worker.responseHead`, with `worker.lines`. `closes`: no request comes after this one.
    func sendHead(for head: inout RequestHead, framing: ResponseFraming, closes: Bool)
    /// Sends the gateway's own answer in `worker.answer`, head and content.
    func sendAnswer(for head: inout RequestHead, closes: Bool)
    func sendContent(_ bytes: Span<UInt8>, framing: ResponseFraming)
    /// The content is whole.
    func endContent(framing: ResponseFraming, trailers: inout TrailerSection)
    /// So much waits to be taken that no more should be added.
    var isCongested: Bool { get }
    /// Tell the exchange when half of it is taken.
    func noticeWhenTaken()
    /// Bytes of content that may be added now.
    var room: Int { get }
    /// Bytes queued that are not yet on their way to the client.
    var pendingBytes: Int { get }
    /// Sets aside, in all, what the upstream may send without being asked again; content that is added comes out of it.
    func reserve(_ count: Int)
    /// How much may be set aside now, in all.
    var reservable: Int { get }

    /// Sends the head in `worker.responseHead`, with `worker.lines`, that changes the protocol. From now on what the client
    /// sends is content, to its end, and so is what it is sent; `endContent` ends that direction alone.
    func beginTunnel()

    // MARK: The request's content

    /// Stop reading content: the upstream has enough to write.
    func pauseContent()
    func resumeContent()
    /// The client is due to send content: watch that it does.
    func expectContent()

    // MARK: The end

    /// Ends a request that nothing was done for, so that the client may send it again; false where only an answer can say it.
    func turnAway() -> Bool
    /// The exchange is over, its answer queued.
    func exchangeEnded(closes: Bool)
    /// The answer cannot be finished, and the client must not take it for whole.
    func abortAnswer(_ ending: AnswerCut)
}
