import Core
import Testing

@testable import HTTP2

/// Streams are used once and in order (RFC 9113 §5.1, §5.1.1), and frames are where they may be.
@Suite struct StreamIdentifierTests {
    private func opened() -> ServerPeer {
        let peer = ServerPeer()
        peer.receive(Frames.opening)
        _ = peer.take()
        return peer
    }

    /// What is sent after the opening, and the code of the GOAWAY; nil where the connection goes on.
    typealias Case = (title: String, sent: [UInt8], code: UInt32?)

    static let post = Frames.headers(Frames.post, ends: false)
    static let ended = Frames.headers(Frames.get)
    static let trailers = Frames.headers([("a", "b")])

    static let cases: [Case] = [
        ("a head on a lower stream", Frames.headers(Frames.get, stream: 5) + Frames.headers(Frames.get, stream: 3), 1),
        ("content on a lower stream", Frames.headers(Frames.get, stream: 5) + Frames.content([1], stream: 3), 1),
        ("a head on an even stream", Frames.headers(Frames.get, stream: 2), 1), ("content on an even stream", Frames.content([1], stream: 2), 1),
        ("a head on stream 0", Frames.headers(Frames.get, stream: 0), 1), ("content on stream 0", Frames.content([1], stream: 0), 1),
        ("content on an idle stream", Frames.content([1], stream: 7), 1), ("RST_STREAM of an idle stream", Frames.reset(7), 1),
        ("WINDOW_UPDATE of an idle stream", Frames.windowUpdate(7, 1), 1),
        ("a head behind the end", ended + Frames.headers(Frames.get), 5), ("content behind the end", ended + Frames.content([1]), 5),
        ("trailers behind trailers", post + trailers + trailers, 5), ("content behind trailers", post + trailers + Frames.content([1]), 5),
        ("a head behind RST_STREAM", post + Frames.reset(1) + ended, 5), ("trailers behind RST_STREAM", post + Frames.reset(1) + trailers, 5),
        ("content behind RST_STREAM", post + Frames.reset(1) + Frames.content([1]), 5),
        ("WINDOW_UPDATE behind RST_STREAM", post + Frames.reset(1) + Frames.windowUpdate(1, 1), nil),
        ("RST_STREAM behind RST_STREAM", post + Frames.reset(1) + Frames.reset(1), nil),
        ("PRIORITY behind RST_STREAM", post + Frames.reset(1) + Frames.frame(.priority, stream: 1, [0, 0, 0, 0, 1]), nil),
        ("CONTINUATION behind the end of a block", ended + Frames.frame(.continuation, flags: 4, stream: 1, []), 1),
        ("CONTINUATION of another stream", Frames.frame(.headers, stream: 1, [0x82]) + Frames.frame(.continuation, flags: 4, stream: 3), 1),
        ("an unknown frame within a block", Frames.frame(.headers, stream: 1, [0x82]) + Frames.frame(.grease, stream: 1), 1),
        ("PRIORITY within a block", Frames.frame(.headers, stream: 1, [0x82]) + Frames.frame(.priority, stream: 1, [0, 0, 0, 0, 1]), 1),
        ("PRIORITY of stream 0", Frames.frame(.priority, stream: 0, [0, 0, 0, 0, 1]), 1),
        ("PRIORITY of stream 0 and of a wrong length", Frames.frame(.priority, stream: 0, [0]), 1),
        ("PRIORITY of an idle stream", Frames.frame(.priority, stream: 9, [0, 0, 0, 0, 1]), nil),
        ("PRIORITY of an idle stream on itself", Frames.frame(.priority, stream: 9, [0, 0, 0, 9, 1]), 1),
        ("PRIORITY of an idle stream and of a wrong length", Frames.frame(.priority, stream: 9, [0, 0, 0, 0]), 6),
        ("a head that depends on itself", Frames.frame(.headers, flags: 0x25, stream: 1, [0, 0, 0, 1, 1] + Frames.block(Frames.get)), 1),
        ("an unknown frame that is too long", Frames.frame(.grease, stream: 0, [UInt8](repeating: 0, count: 16_385)), 6),
        ("PUSH_PROMISE of a client", post + Frames.frame(.pushPromise, flags: 4, stream: 1, Frames.bytes(2) + Frames.block(Frames.get)), 1),
        ("an unknown frame", Frames.frame(.grease, flags: 0xFF, stream: 77, [1, 2, 3]) + ended, nil),
    ]

    @Test(arguments: cases)
    func `frames where they may not be end the connection`(_ expected: Case) {
        for piece in [expected.sent.count, 1, 7] {
            let peer = opened()
            for start in stride(from: 0, to: expected.sent.count, by: piece) {
                peer.receive(Array(expected.sent[start..<min(start + piece, expected.sent.count)]))
            }
            let goAways = peer.frames().goAways
            #expect(goAways == (expected.code.map { [$0] } ?? []), "\(expected.title), in pieces of \(piece)")
            #expect((peer.session.failure == nil) == (expected.code == nil), "\(expected.title)")
        }
    }

    @Test(arguments: [1, 2, 3, 4, 6, 100])
    func `PRIORITY of a wrong length resets its stream and no other`(_ length: Int) {
        for piece in [1, 5, 1000] {
            let peer = opened()
            let bytes = Self.post + Frames.frame(.priority, stream: 1, [UInt8](repeating: 0, count: length))
                + Frames.headers(Frames.get, stream: 3)
            for start in stride(from: 0, to: bytes.count, by: piece) { peer.receive(Array(bytes[start..<min(start + piece, bytes.count)])) }
            let frames = peer.frames()
            #expect(frames.resets(1) == [6] && frames.goAways.isEmpty && peer.heads[3] != nil)
        }
    }

    @Test func `PRIORITY of an open stream on itself resets it`() {
        let peer = opened()
        peer.receive(Self.post + Frames.frame(.priority, stream: 1, [0x80, 0, 0, 1, 9]) + Frames.headers(Frames.get, stream: 3))
        let frames = peer.frames()
        #expect(frames.resets(1) == [1] && frames.goAways.isEmpty && peer.heads[3] != nil)
    }

    @Test(arguments: [Frames.frame(.grease, stream: 0), Frames.frame(.priority, stream: 1, [0, 0, 0, 0, 1]), Frames.settingsAck])
    func `nothing comes before SETTINGS`(_ frame: [UInt8]) {
        let peer = ServerPeer()
        peer.receive(Frames.preface + frame)
        #expect(peer.frames().goAways == [1] && peer.session.failure == .protocolViolated)
    }

    @Test func `what was sent before our reset could be seen is ignored`() throws {
        let peer = opened()
        peer.receive(Self.post)
        peer.session.reset(try #require(peer.streams[1]), .cancel)
        for isWritten in [false, true] {
            if isWritten { _ = peer.take() }
            peer.receive(Frames.content([1]) + Frames.windowUpdate(1, 1) + Self.trailers)
        }
        peer.receive(Frames.headers(Frames.get, stream: 3))
        #expect(peer.session.failure == nil && peer.heads[3] != nil && peer.trailers.isEmpty && peer.content.isEmpty)
    }

    @Test func `an answer before the end of a request leaves its client time to see it`() throws {
        let peer = opened()
        peer.receive(Self.post)
        peer.answer(try #require(peer.streams[1]), status: 401)
        #expect(peer.frames().resets(1) == [0])
        peer.receive(Frames.content([1]) + Self.trailers + Frames.headers(Frames.get, stream: 3))
        #expect(peer.session.failure == nil && peer.heads[3] != nil)
    }

    @Test func `what follows a stream that was refused is ignored`() {
        var limits = HTTP2Bounds()
        limits.concurrentStreams = 1
        let peer = ServerPeer(limits: limits)
        peer.receive(Frames.preface + Frames.settings + Self.post + Frames.headers(Frames.post, stream: 3, ends: false))
        peer.receive(Frames.content([1], stream: 3) + Frames.headers([("a", "b")], stream: 3))
        #expect(peer.frames().resets(3).first == 7 && peer.session.failure == nil)
    }

    @Test func `what follows a stream behind our GOAWAY is ignored`() {
        let peer = opened()
        peer.receive(Self.post)
        peer.session.finishStreams()
        _ = peer.take()
        peer.receive(Frames.headers(Frames.post, stream: 3, ends: false) + Frames.content([1], stream: 3))
        peer.receive(Frames.headers([("a", "b")], stream: 3))
        #expect(peer.session.failure == nil && peer.heads.count == 1)
        peer.receive(Frames.content([1], ends: true) + Frames.content([1]))
        #expect(peer.frames().goAways == [5])
    }

    @Test func `a connection is not unfinished behind a block that was ignored`() {
        let peer = opened()
        peer.receive(Self.post)
        peer.session.reset(peer.streams[1]!, .cancel)
        _ = peer.take()
        peer.receive(Self.trailers)
        #expect(peer.session.unfinishedSince == nil)
    }

    // MARK: Upstreams

    static let answers: [Case] = [
        ("a head on an even stream", Frames.headers([(":status", "200")], stream: 2), 1), ("content on an even stream", Frames.content([1], stream: 2), 1),
        ("a head on a stream never opened", Frames.headers([(":status", "200")], stream: 9), 1),
        ("content on a stream never opened", Frames.content([1], stream: 9), 1), ("a head on stream 0", Frames.headers([(":status", "200")], stream: 0), 1),
        ("PRIORITY of stream 0", Frames.frame(.priority, stream: 0, [0, 0, 0, 0, 1]), 1), ("RST_STREAM of a stream never opened", Frames.reset(9), 1),
        ("WINDOW_UPDATE of a stream never opened", Frames.windowUpdate(9, 1), 1), ("RST_STREAM of an even stream", Frames.reset(2), 1),
        ("PUSH_PROMISE", Frames.frame(.pushPromise, flags: 4, stream: 1, Frames.bytes(2) + Frames.block(Frames.get)), 1),
        ("content before a head", Frames.content([1]), 1), ("PRIORITY of our stream", Frames.frame(.priority, stream: 1, [0, 0, 0, 0, 1]), nil),
        ("an unknown frame", Frames.frame(.grease, stream: 1, [1]), nil),
        ("a head behind the end", Frames.headers([(":status", "200")]) + Frames.headers([(":status", "200")]), nil),
    ]

    @Test(arguments: answers, [true, false])
    func `an upstream's frames where they may not be end its connection`(_ expected: Case, _ isAcknowledged: Bool) {
        let client = ClientPeer()
        client.receive(Frames.settings + (isAcknowledged ? Frames.settingsAck : []))
        client.request()
        _ = client.take()
        client.receive(expected.sent)
        #expect(client.frames().goAways == (expected.code.map { [$0] } ?? []), "\(expected.title)")
    }
}
