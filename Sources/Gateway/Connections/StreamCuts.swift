import Core
import HTTP2
import IO

/// Streams of a client whose answers were cut: each is reset a little after its head and the content queued on it were given to
/// the socket. A reset that is queued at once would overtake both, and one that arrives with them makes clients such as curl drop
/// what came before it.
struct StreamCuts {
    private var streams: [(stream: HTTP2Stream, writtenAt: Instant?)] = []

    var isEmpty: Bool { streams.isEmpty }

    /// When the next stream is to be reset, as far as that is known.
    var due: Instant {
        let first = streams.lazy.compactMap(\.writtenAt).min()
        return first.map { $0.advanced(by: FixedBounds.cutDelay) } ?? .distantFuture
    }

    mutating func add(_ stream: HTTP2Stream) { streams.append((stream, nil)) }

    /// Everything that the session gave out has gone to the socket.
    mutating func noteWritten(at now: Instant) {
        for index in streams.indices where streams[index].writtenAt == nil {
            let stream = streams[index].stream
            if stream.isHeadWritten, stream.pendingBytes == 0 { streams[index].writtenAt = now }
        }
    }

    /// Takes out the streams whose time has come, to be reset, and those that are closed.
    mutating func takeDue(at now: Instant) -> [HTTP2Stream] {
        guard !streams.isEmpty else { return [] }
        streams.removeAll { !$0.stream.isOpen }
        let limit = Instant(nanoseconds: now.nanoseconds &- FixedBounds.cutDelay)
        let due = streams.filter { $0.writtenAt.map { $0 <= limit } ?? false }
        streams.removeAll { $0.writtenAt.map { $0 <= limit } ?? false }
        return due.map(\.stream)
    }
}
