import Core
import HTTP1

/// Takes the content of one message out of a connection's bytes, whatever its framing (RFC 9112 §6.3).
struct BodyReader {
    private(set) var framing = BodyFraming.none
    private var remaining: UInt64 = 0
    private var chunked = ChunkedDecoder()
    /// The whole content has been seen.
    private(set) var isComplete = true

    /// Starts on a new message.
    /// - Parameter isLenient: chunks may be framed as old upstreams do.
    mutating func begin(_ framing: BodyFraming, isLenient: Bool = false) {
        self.framing = framing
        switch framing {
        case .none: isComplete = true
        case .length(let count):
            remaining = count
            isComplete = count == 0
        case .chunked:
            chunked = ChunkedDecoder(isLenient: isLenient)
            isComplete = false
        case .untilClose: isComplete = false
        }
    }

    /// The next piece of content at `index`, which moves behind it; nil when more bytes are needed.
    mutating func next(_ bytes: Span<UInt8>, from index: inout Int) throws(FramingFault) -> ChunkPiece? {
        if isComplete { return nil }
        switch framing {
        case .none: return nil
        case .length:
            guard index < bytes.count else { return nil }
            let count = Int(min(UInt64(bytes.count &- index), remaining))
            remaining &-= UInt64(count)
            isComplete = remaining == 0
            let start = index
            index &+= count
            return .body(start..<index)
        case .untilClose:
            guard index < bytes.count else { return nil }
            let start = index
            index = bytes.count
            return .body(start..<index)
        case .chunked:
            let piece = try chunked.next(bytes, from: &index)
            if case .end = piece { isComplete = true }
            return piece
        }
    }

    /// Whether the framing of `bytes`, which come next, has no fault. Nothing is taken.
    func admits(_ bytes: Span<UInt8>) -> Bool {
        guard framing == .chunked else { return true }
        var trial = self
        var index = 0
        do throws(FramingFault) { while try trial.next(bytes, from: &index) != nil {} } catch { return false }
        return true
    }

    /// The connection ended: true when that is how this content ends.
    mutating func endOfStream() -> Bool {
        if framing == .untilClose { isComplete = true }
        return isComplete
    }

    /// What came behind the last chunk.
    var trailers: TrailerSection { chunked.trailers }
}
