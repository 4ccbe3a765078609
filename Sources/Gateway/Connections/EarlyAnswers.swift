import Core
import HTTP2

/// Streams of a client whose answers were whole before their requests: what still comes of those is dropped for a while before the
/// stream is reset. A reset that arrives with the answer makes clients such as curl 7.88 report it in place of the answer.
struct EarlyAnswers {
    /// Above it the stream that was answered first is reset at once.
    private static let limit = 32

    /// In the order of their ends.
    private var streams: [(stream: HTTP2Stream, due: Instant)] = []

    /// When the next stream is to be reset.
    var due: Instant { streams.first?.due ?? .distantFuture }

    /// Notes a stream that is to be reset at `due`. Returns one that is to be reset now, so that no client keeps many.
    mutating func add(_ stream: HTTP2Stream, due: Instant) -> HTTP2Stream? {
        if streams.count >= Self.limit { streams.removeAll { !$0.stream.isOpen } }
        streams.append((stream, due))
        return streams.count > Self.limit ? streams.removeFirst().stream : nil
    }

    /// Takes out the streams whose time has come, and those that are closed.
    mutating func takeDue(at now: Instant) -> [HTTP2Stream] {
        guard !streams.isEmpty else { return [] }
        streams.removeAll { !$0.stream.isOpen }
        let due = streams.filter { $0.due <= now }
        streams.removeAll { $0.due <= now }
        return due.map(\.stream)
    }

    /// No stream is waited for any longer than until `instant`.
    mutating func shorten(to instant: Instant) {
        for index in streams.indices where streams[index].due > instant { streams[index].due = instant }
    }
}
