package import Core

/// One stream of a session: a request and its response. The session keeps it until the stream is closed; whoever keeps
/// it longer holds a value on which nothing happens any more.
package final class HTTP2Stream {
    /// The stream's identifier (RFC 9113 §5.1.1).
    package internal(set) var id: Int32
    /// Whatever the user of the session keeps with the stream. Given up when the stream closes.
    package var context: AnyObject?

    package internal(set) var isOpen = true
    /// The peer ended its side: all content and trailers are here.
    package internal(set) var isRemoteEnded = false
    /// We ended ours, and the frame that says so is written.
    package internal(set) var isLocalEnded = false
    /// The final head was written, so the peer may have seen it.
    package internal(set) var isHeadWritten = false
    /// The stream was closed, or will be, without the peer having acted on it (RFC 9113 §8.7): it may be tried again
    /// elsewhere.
    package internal(set) var isUnprocessed = false
    /// When content last came, or the head.
    package internal(set) var lastReceived: Instant
    /// When content was last taken for writing; when it was queued, if none was yet.
    package internal(set) var lastTaken: Instant

    /// Content queued and not yet framed; of a closed stream, what never was.
    package var pendingBytes: Int { isOpen ? queue.count : unsentBytes }

    /// Content waits and the peer's windows do not let it go.
    package var isStalled: Bool { isOpen && queue.count > 0 }

    var queue = ContentQueue()
    /// Set aside for what the source of the content may send unasked; `queue` comes out of it.
    var reserved = 0
    /// Client sessions: how large the window is to be; 0 as long as it is the one it began with.
    var wantedWindow = 0
    /// What it holds beyond its share.
    var excess = 0
    /// Its part of the session's `heldBytes`.
    var weight = 0
    /// Content handed on and not yet given back to the peer's windows.
    var unconsumed = 0
    /// No more content comes from our side.
    var isContentEnded = false
    var trailers: TrailerSection?
    /// Content that was queued when the stream was closed.
    var unsentBytes = 0
    /// The library asked for content when there was none, and waits to be called.
    var isDeferred = false
    /// Content is dropped and given back at once: the request is refused.
    var dropsContent = false
    /// The user knows of this stream.
    var isAnnounced = false
    /// We reset it of our own accord, or its reset is already on the peer's account.
    var isResetAccounted = false
    /// The user waits for `canTakeMore`.
    var isWaiting = false
    /// Where the session lists this stream.
    var index = 0
    /// Client sessions: what the response answers.
    var requestMethod = Method.get
    var isTunnel = false
    var hasFinalResponse = false
    var interimCount = 0

    init(id: Int32, now: Instant) {
        self.id = id
        lastReceived = now
        lastTaken = now
    }
}
