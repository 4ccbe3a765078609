import Core
import Testing

@testable import HTTP2

/// Attacks: each ends the connection after a bounded amount of work, counted and not timed.
@Suite struct AbuseTests {
    /// Feeds `frames` one by one until the session gives up; how many it took.
    private func endured(_ peer: ServerPeer, limit: Int = 100_000, _ frames: (Int) -> [UInt8]) -> Int {
        for index in 0..<limit {
            peer.receive(frames(index))
            _ = peer.take()
            if peer.session.isOver { return index + 1 }
        }
        return limit
    }

    private func opened(_ limits: HTTP2Bounds = HTTP2Bounds()) -> ServerPeer {
        let peer = ServerPeer(limits: limits)
        peer.receive(Frames.opening)
        _ = peer.take()
        return peer
    }

    @Test func `rapid reset: requests cancelled at once`() {
        let peer = opened()
        let count = endured(peer) { index in
            let id = Int32(2 * index + 1)
            return Frames.headers(Frames.get, stream: id) + Frames.reset(id)
        }
        // Three quarters of what is borne: GOAWAY, and when no stream is left the session is over.
        #expect(count == 375 && peer.heads.count == 375 && peer.session.isCalmed)
        #expect(peer.session.streams.isEmpty && peer.session.isOver)
    }

    @Test func `rapid reset in one read stops within it`() {
        let peer = opened()
        peer.receive(
            (0..<2000).flatMap { index in
                let id = Int32(2 * index + 1)
                return Frames.headers(Frames.get, stream: id) + Frames.reset(id)
            })
        // The GOAWAY is queued, not written: the requests before the cut were heard.
        #expect(peer.heads.count == 437 && peer.session.failure == .abused)
        #expect(peer.frames().goAways.last == 11)
    }

    @Test func `requests behind our GOAWAY are not heard, nor borne for ever`() {
        let peer = opened()
        peer.receive(Frames.headers(Frames.post, ends: false))
        peer.session.finishStreams()
        _ = peer.take()
        let count = endured(peer) { Frames.headers(Frames.get, stream: Int32(2 * $0 + 3)) }
        // 20 for the stream and 1 for what its block was.
        #expect(count == 477 && peer.heads.count == 1 && peer.session.failure == .abused)
    }

    @Test func `cancelling now and then is borne for ever`() {
        let peer = opened()
        for index in 0..<2000 {
            let id = Int32(2 * index + 1)
            peer.now = Instant(nanoseconds: Int64(index) * 31_000_000)
            peer.receive(Frames.headers(Frames.get, stream: id) + Frames.reset(id))
            _ = peer.take()
        }
        #expect(peer.heads.count == 2000 && peer.session.failure == nil)
    }

    @Test(arguments: [
        // An increment of nothing, a window that overflows, content for a request that ended, content that is too much.
        { id in Frames.headers(Frames.post, stream: id, ends: false) + Frames.windowUpdate(id, 0) },
        { id in
            Frames.headers(Frames.post, stream: id, ends: false) + Frames.windowUpdate(id, 0x7FFF_FFFF)
                + Frames.windowUpdate(id, 0x7FFF_FFFF)
        },
        { id in Frames.headers(Frames.post, stream: id) + Frames.content([1], stream: id) },
        { id in
            Frames.headers(Frames.post + [("content-length", "1")], stream: id, ends: false)
                + Frames.content([1, 2], stream: id)
        },
        { id in Frames.headers(Frames.get + [("connection", "x")], stream: id) },
        { id in Frames.headers([(":method", "CONNECT"), (":authority", "h"), (":path", "/")], stream: id) },
        { id in Frames.headers(Frames.post, stream: id, ends: false) + Frames.frame(.priority, stream: id, [0]) },
        { id in Frames.headers(Frames.post, stream: id, ends: false) + Frames.headers([("a", "b")], stream: id, ends: false) },
        { id in Frames.headers(Frames.post, stream: id, ends: false) + Frames.headers([("a", " b")], stream: id) },
    ] as [@Sendable (Int32) -> [UInt8]])
    func `made you reset: resets that the client provokes`(_ trick: @Sendable (Int32) -> [UInt8]) {
        let peer = opened()
        let count = endured(peer) { trick(Int32(2 * $0 + 1)) }
        #expect(count <= 201 && (peer.session.isCalmed || peer.session.failure != nil))
        #expect(peer.session.streams.count <= 1)
    }

    @Test(arguments: [
        (Frames.frame(.ping, stream: 0, [0, 1, 2, 3, 4, 5, 6, 7]), 1000), (Frames.frame(.ping, flags: 1, stream: 0, [0, 1, 2, 3, 4, 5, 6, 7]), 1000),
        (Frames.settings, 200), (Frames.settings([(4, 1000)]), 200), (Frames.frame(.priority, stream: 1, [0, 0, 0, 0, 16]), 5000),
        (Frames.frame(.priorityUpdate, stream: 0, [0, 0, 0, 1]), 5000), (Frames.frame(.grease, stream: 0), 5000),
        (Frames.frame(.altSvc, stream: 0), 5000), (Frames.windowUpdate(0, 1), 2032),
    ])
    func `frames that cost the sender nothing`(_ frame: [UInt8], _ bound: Int) {
        let peer = opened()
        let count = endured(peer) { _ in frame }
        #expect(count <= bound && peer.session.isCalmed)
    }

    @Test func `WINDOW_UPDATE is excused by content`() throws {
        let peer = ServerPeer()
        peer.receive(Frames.opening)
        peer.receive(Frames.headers(Frames.get))
        let stream = try #require(peer.streams[1])
        peer.beginAnswer(stream)
        for _ in 0..<10_000 {
            peer.send([1], on: stream)
            #expect(peer.frames().only(.content).count == 1)
            peer.receive(Frames.windowUpdate(1, 1) + Frames.windowUpdate(0, 1))
        }
        #expect(peer.session.score.points == 0)
    }

    @Test func `empty content`() {
        for padding in [[], [UInt8](repeating: 0, count: 8)] {
            let peer = opened()
            peer.receive(Frames.headers(Frames.post, ends: false))
            let payload = padding.isEmpty ? [] : [UInt8(padding.count)] + padding
            let count = endured(peer) { _ in
                Frames.frame(.content, flags: padding.isEmpty ? 0 : 8, stream: 1, payload)
            }
            #expect(count <= 1000 && peer.session.failure == .abused)
        }
    }

    @Test func `a block of CONTINUATION frames without end`() {
        let peer = opened()
        peer.receive(Frames.frame(.headers, flags: Frames.endStream, stream: 1, Frames.block(Frames.get)))
        let count = endured(peer) { index in
            Frames.frame(.continuation, stream: 1, Frames.block([("a\(index)", "b")]))
        }
        #expect(count <= 9 && peer.session.failure == .headerBlockTooLarge)
        #expect(peer.heads.isEmpty && peer.session.unfinishedSince != nil)
    }

    @Test func `a block in as many frames as allowed arrives, byte by byte too`() {
        let block = Frames.block(Frames.get)
        var frames = Frames.frame(.headers, flags: Frames.endStream, stream: 1, Array(block.prefix(10)))
        for index in 1..<8 { frames += Frames.frame(.continuation, stream: 1, [block[9 + index]]) }
        frames += Frames.frame(.continuation, flags: Frames.endHeaders, stream: 1, Array(block.dropFirst(17)))
        let peer = opened()
        for byte in frames { peer.receive([byte]) }
        #expect(peer.events == ["request 1 GET /x"] && peer.session.failure == nil)
    }

    @Test func `empty CONTINUATION frames without end`() {
        let peer = opened()
        peer.receive(Frames.frame(.headers, flags: Frames.endStream, stream: 1, Frames.block(Frames.get)))
        #expect(endured(peer) { _ in Frames.frame(.continuation, stream: 1) } <= 9)
    }

    @Test func `another frame within a header block`() {
        let peer = opened()
        peer.receive(Frames.frame(.headers, flags: Frames.endStream, stream: 1, Frames.block(Frames.get)))
        peer.receive(Frames.frame(.ping, stream: 0, [UInt8](repeating: 0, count: 8)))
        #expect(peer.frames().goAways == [1] && peer.session.failure == .protocolViolated)
    }

    @Test func `HPACK bomb: a large entry named again and again`() {
        let peer = opened()
        // 4000 bytes in the table, then one byte for each copy of them.
        let block = Frames.block(Frames.get) + Frames.indexed("x", String(repeating: "a", count: 3900))
        peer.receive(
            Frames.frame(.headers, flags: Frames.endStream | Frames.endHeaders, stream: 1, block + [UInt8](repeating: 0xBE, count: 20)))
        #expect(peer.faults[1] == .headTooLarge && peer.session.failure == nil)
        #expect((peer.heads[1]?.bytes.count ?? .max) < 40_000)
        peer.receive(
            Frames.frame(
                .headers, flags: Frames.endStream | Frames.endHeaders, stream: 3,
                Frames.block(Frames.get) + [UInt8](repeating: 0xBE, count: 16_000)))
        #expect(peer.session.failure == .headerBlockTooLarge && peer.heads[3] == nil)
        #expect(peer.frames().goAways == [11])
    }

    @Test func `a table larger than allowed, and a block that cannot be decoded`() {
        for block: [UInt8] in [[0x3F, 0xFF, 0xFF, 0x7F], [0xFF, 0xFF, 0xFF, 0xFF, 0x0F], [0x80], [0x00, 0x7F, 0xFF]] {
            let peer = opened()
            peer.receive(Frames.frame(.headers, flags: Frames.endStream | Frames.endHeaders, stream: 1, block))
            #expect(peer.frames().goAways == [9] && peer.session.failure == .protocolViolated && peer.session.isOver)
        }
    }

    @Test func `more streams than allowed`() {
        var limits = HTTP2Bounds()
        limits.concurrentStreams = 3
        let early = ServerPeer(limits: limits)
        early.receive(Frames.preface + Frames.settings)
        for index in 0..<5 { early.receive(Frames.headers(Frames.get, stream: Int32(2 * index + 1))) }
        let frames = early.frames()
        #expect(early.heads.count == 3 && frames.resets(7) == [7] && frames.resets(9) == [7])
        #expect(early.session.streams.count == 3 && frames.goAways.isEmpty)
        // Whoever has seen our SETTINGS knows better.
        early.receive(Frames.settingsAck + Frames.headers(Frames.get, stream: 11))
        #expect(early.frames().goAways == [1] && early.heads.count == 3)
    }

    @Test func `SETTINGS with too many entries, or none at the start`() {
        let peer = opened()
        peer.receive(Frames.settings((0..<40).map { (0x100 + $0, 0) }))
        #expect(peer.frames().goAways == [11] && peer.session.failure == .protocolViolated)
        let silent = ServerPeer()
        silent.receive(Frames.preface + Frames.headers(Frames.get))
        #expect(silent.frames().goAways == [1] && silent.session.failure == .protocolViolated && silent.heads.isEmpty)
    }

    @Test(arguments: ["GET / HTTP/1.1\r\n", "PRI * HTTP/2.0\r\n\r\nSM\r\n\rX", "\0", "PRI * HTTP/1.1\r\n"])
    func `another protocol`(_ start: String) {
        let peer = ServerPeer()
        for byte in start.utf8 { peer.receive([byte]) }
        #expect(peer.session.failure == .prefaceInvalid)
        _ = peer.take()
        #expect(peer.session.isOver)
    }

    @Test func `acknowledgements that the peer does not read`() {
        let peer = opened()
        var count = 0
        while !peer.session.isOver, peer.session.failure == nil, count < 10_000 {
            peer.now = peer.now.advanced(by: .seconds(1))
            peer.receive(Frames.frame(.ping, stream: 0, [UInt8](repeating: 0, count: 8)))
            count += 1
        }
        #expect(count <= 258 && peer.session.failure == .outboundFlooded)
    }

    @Test func `a header block on its way is known since its start`() {
        let peer = opened()
        #expect(peer.session.unfinishedSince == nil)
        peer.now = Instant(nanoseconds: 7)
        let frame = Frames.headers(Frames.get)
        peer.receive(Array(frame.dropLast(3)))
        peer.now = Instant(nanoseconds: 9)
        peer.receive(Array(frame.suffix(3).prefix(2)))
        #expect(peer.session.unfinishedSince == Instant(nanoseconds: 7) && peer.heads.isEmpty)
        peer.receive(Array(frame.suffix(1)))
        #expect(peer.session.unfinishedSince == nil && peer.heads.count == 1)
    }

    @Test func `a header block of several frames is known since the first`() {
        let peer = opened()
        let block = Frames.block(Frames.get)
        peer.now = Instant(nanoseconds: 3)
        peer.receive(Frames.frame(.headers, flags: 1, stream: 1, Array(block.prefix(5))))
        peer.now = Instant(nanoseconds: 5)
        let rest = Frames.frame(.continuation, flags: 4, stream: 1, Array(block.dropFirst(5)))
        peer.receive(Array(rest.dropLast()))
        #expect(peer.session.unfinishedSince == Instant(nanoseconds: 3))
        peer.receive(Array(rest.suffix(1)))
        #expect(peer.session.unfinishedSince == nil && peer.heads.count == 1)
    }

    @Test func `half a frame is known since its first byte, content only while nothing else can tell`() {
        let peer = opened()
        let ping = Frames.frame(.ping, stream: 0, [UInt8](repeating: 0, count: 8))
        for (index, byte) in ping.enumerated() {
            #expect(peer.session.unfinishedSince == (index == 0 ? nil : Instant(nanoseconds: 1)))
            peer.now = Instant(nanoseconds: Int64(index) + 1)
            peer.receive([byte])
        }
        #expect(peer.session.unfinishedSince == nil)
        peer.receive(Frames.headers(Frames.post, ends: false) + Frames.content([1, 2, 3]).dropLast())
        #expect(peer.session.unfinishedSince == nil && peer.session.streams.count == 1)
        peer.receive([3] + Frames.content([4]).prefix(4))
        #expect(peer.session.unfinishedSince != nil)
    }

    @Test func `frames of a stream that is gone are borne, within limits`() {
        let peer = opened()
        peer.receive(Frames.headers(Frames.post, ends: false) + Frames.reset(1))
        peer.receive(Frames.content([1, 2, 3]) + Frames.windowUpdate(1, 5) + Frames.reset(1))
        #expect(peer.events == ["request 1 POST /x", "closed 1 cancel"])
        #expect(peer.session.streams.isEmpty)
    }
}
