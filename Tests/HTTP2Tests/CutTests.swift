import Core
import Testing

@testable import HTTP2

/// The same is heard however a connection's bytes are cut.
@Suite struct CutTests {
    /// Requests with content, trailers, padding and continuations, a cancelled one, a malformed one, a refused one.
    static let conversation: [UInt8] = {
        let block = Frames.block(Frames.post + [("cookie", "a=b"), ("cookie", "c=d")])
        let padded = Frames.frame(.headers, flags: 0x0D, stream: 3, [2] + Frames.block(Frames.get) + [0, 0])
        return Frames.opening + Frames.headers(Frames.post, ends: false) + Frames.content(Array("hello".utf8))
            + padded + Frames.headers([("x-sum", "1")]) + Frames.frame(.headers, stream: 5, Array(block.prefix(20)))
            + Frames.frame(.continuation, stream: 5, []) + Frames.frame(.continuation, flags: 4, stream: 5, Array(block.dropFirst(20)))
            + Frames.frame(.ping, stream: 0, [1, 2, 3, 4, 5, 6, 7, 8]) + Frames.reset(5)
            + Frames.headers(Frames.get + [("connection", "x")], stream: 7) + Frames.headers(Frames.get + [("a", "b\nc")], stream: 9)
            + Frames.frame(.grease, stream: 0, [1, 2, 3]) + Frames.headers(Frames.get, stream: 11)
    }()

    private func heard(_ parts: [[UInt8]]) -> ServerPeer {
        let peer = ServerPeer()
        for part in parts { peer.receive(part) }
        return peer
    }

    /// Events without the sizes of pieces of content.
    private func shape(_ peer: ServerPeer) -> [String] { peer.events.filter { !$0.hasPrefix("content") } }

    @Test func `split at every index`() {
        let bytes = Self.conversation
        let whole = heard([bytes])
        #expect(
            shape(whole) == [
                "request 1 POST /x", "request 3 GET /x", "end 1", "request 5 POST /x", "closed 5 cancel", "reset 7",
                "refused 9 field_value_invalid", "request 11 GET /x",
            ])
        let frames = whole.frames()
        for index in 1..<bytes.count {
            let cut = heard([Array(bytes.prefix(index)), Array(bytes.dropFirst(index))])
            #expect(shape(cut) == shape(whole) && cut.content == whole.content, "\(index)")
            #expect(cut.heads.mapValues(\.bytes) == whole.heads.mapValues(\.bytes))
            #expect(cut.frames() == frames, "\(index)")
        }
    }

    @Test func `byte by byte`() {
        let bytes = Self.conversation
        let cut = heard(bytes.map { [$0] })
        let whole = heard([bytes])
        #expect(shape(cut) == shape(whole) && cut.content == whole.content && cut.frames() == whole.frames())
        #expect(cut.session.score.points == whole.session.score.points)
    }
}
