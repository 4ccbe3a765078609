import Core
import Testing

@testable import HTTP2

/// Windows and queues: what waits for whom, and how much of it.
@Suite struct FlowControlTests {
    static let zeros = [UInt8](repeating: 0, count: 16_384)

    /// A server with one open request that announced content.
    private func uploading(_ limits: HTTP2Bounds = HTTP2Bounds()) -> ServerPeer {
        let peer = ServerPeer(limits: limits)
        peer.consumes = false
        peer.receive(Frames.opening)
        peer.receive(Frames.headers(Frames.post, ends: false))
        _ = peer.take()
        return peer
    }

    @Test func `windows are those of the bounds`() {
        let frames = ServerPeer().frames()
        let settings = frames.only(.settings).first?.payload ?? []
        let entries = stride(from: 0, to: settings.count, by: 6).map { Array(settings[$0..<$0 + 6]) }
        #expect(entries.contains([0, 3, 0, 0, 0, 128]))
        #expect(entries.contains([0, 4, 0, 4, 0, 0]))
        #expect(entries.contains([0, 9, 0, 0, 0, 1]))
        #expect(!entries.contains { $0[1] == 8 })
        #expect(frames.only(.windowUpdate).map { $0.word() } == [1_048_576 - 65_535])
        let withWebSockets = ServerPeer(acceptsWebSockets: true).frames().only(.settings).first?.payload ?? []
        #expect(withWebSockets.suffix(6) == [0, 8, 0, 0, 0, 1])
    }

    @Test func `nothing is given back but what was consumed`() throws {
        let peer = uploading()
        for _ in 0..<16 { peer.receive(Frames.content(Self.zeros)) }
        #expect(peer.content[1]?.count == 262_144)
        #expect(peer.frames().isEmpty)
        let stream = try #require(peer.streams[1])
        // The library tells the peer when half of a window is free again.
        peer.session.consumed(100_000, on: stream)
        #expect(peer.frames().isEmpty)
        peer.session.consumed(100_000, on: stream)
        #expect(peer.frames().only(.windowUpdate).map(\.stream) == [1])
        // Never more than there was.
        peer.session.consumed(.max, on: stream)
        peer.session.consumed(.max, on: stream)
        peer.session.consumed(-1, on: stream)
        #expect(peer.frames().only(.windowUpdate).reduce(0) { $0 + ($1.stream == 1 ? $1.word() : 0) } <= 262_144)
        #expect(peer.session.failure == nil)
    }

    @Test func `content beyond the window of a stream is an error of the stream or the connection`() {
        let peer = uploading()
        for _ in 0..<30 { peer.receive(Frames.content(Self.zeros)) }
        // The frame that goes beyond is the last one heard.
        #expect(peer.content[1]?.count == 262_144 + 16_384)
        let frames = peer.frames()
        #expect(frames.resets(1) == [3] || frames.goAways == [3])
    }

    @Test func `what a closed stream held is given back to the connection`() throws {
        let peer = ServerPeer()
        peer.consumes = false
        peer.receive(Frames.opening)
        var returned: UInt32 = 0
        for index in 0..<20 {
            let id = Int32(2 * index + 1)
            peer.receive(Frames.headers(Frames.post, stream: id, ends: false))
            for _ in 0..<8 { peer.receive(Frames.content(Self.zeros, stream: id)) }
            if index.isMultiple(of: 2) {
                peer.receive(Frames.reset(id))
            } else {
                peer.session.reset(try #require(peer.streams[id]), .cancel)
            }
            returned += peer.frames().only(.windowUpdate).filter { $0.stream == 0 }.reduce(0) { $0 + $1.word() }
            #expect(peer.content[id]?.count == 131_072)
        }
        #expect(returned > 20 * 131_072 - 1_048_576)
        #expect(peer.session.streams.isEmpty && peer.session.failure == nil)
    }

    @Test func `one stream that is not read does not stop another`() {
        let peer = uploading()
        for _ in 0..<16 { peer.receive(Frames.content(Self.zeros)) }
        peer.receive(Frames.headers(Frames.post, stream: 3, ends: false) + Frames.content(Self.zeros, stream: 3, ends: true))
        #expect(peer.events.last == "end 3")
        #expect(peer.session.streams.map(\.id).sorted() == [1, 3])
    }

    /// A client that asks and lets nothing come.
    private func stalled(streams: Int, limits: HTTP2Bounds = HTTP2Bounds()) -> ServerPeer {
        let peer = ServerPeer(limits: limits)
        peer.receive(Frames.preface + Frames.settings([(4, 0)]) + Frames.settingsAck)
        peer.onRequest = { stream, _ in
            peer.beginAnswer(stream)
        }
        for index in 0..<streams { peer.receive(Frames.headers(Frames.get, stream: Int32(2 * index + 1))) }
        return peer
    }

    @Test func `content waits for the window, and its source is told`() throws {
        let peer = stalled(streams: 1)
        let stream = try #require(peer.streams[1])
        peer.now = Instant(nanoseconds: 5)
        _ = peer.take()
        var queued = 0
        while !peer.session.isFull(stream) {
            peer.send(Self.zeros, on: stream)
            queued += Self.zeros.count
        }
        peer.session.noticeWhenTaken(stream)
        #expect(queued == 131_072 && stream.pendingBytes == queued && stream.isStalled)
        #expect(peer.frames().only(.content).isEmpty && stream.lastTaken == Instant(nanoseconds: 5))
        #expect(!peer.session.wantsWrite)
        peer.now = Instant(nanoseconds: 9)
        peer.receive(Frames.windowUpdate(1, 40_000))
        #expect(peer.frames().only(.content).map(\.payload.count).reduce(0, +) == 40_000)
        #expect(stream.lastTaken == Instant(nanoseconds: 9) && !peer.events.contains("room 1"))
        peer.receive(Frames.windowUpdate(1, 25_535))
        #expect(peer.frames().only(.content).map(\.payload.count).reduce(0, +) == 25_535)
        #expect(!peer.events.contains("room 1"))
        // The window of the connection is used up too.
        peer.receive(Frames.windowUpdate(1, 1_000_000) + Frames.windowUpdate(0, 1_000_000))
        #expect(peer.frames().only(.content).map(\.payload.count).reduce(0, +) == 65_537)
        #expect(peer.events.last == "room 1" && !stream.isStalled && peer.session.pendingBytes == 0)
        peer.session.endContent(on: stream)
        #expect(peer.frames().only(.content).map(\.flags) == [Frames.endStream])
    }

    @Test func `streams that are not taken from hold a bounded amount together`() {
        let limits = HTTP2Bounds()
        let peer = stalled(streams: 128)
        _ = peer.take()
        #expect(peer.session.streams.count == 128)
        for _ in 0..<20 {
            for stream in peer.session.streams where !peer.session.isFull(stream) {
                peer.send(Array(Self.zeros.prefix(peer.session.room(on: stream))), on: stream)
            }
        }
        #expect(peer.session.pendingBytes >= limits.queuedBytes * 9 / 10 && peer.session.pendingBytes <= limits.queuedBytes)
        // A stream without anything queued is not starved by them.
        peer.receive(Frames.reset(1))
        peer.receive(Frames.headers(Frames.get, stream: 257))
        #expect(peer.streams[257].map { peer.session.isFull($0) } == false)
        let before = peer.session.pendingBytes
        for index in 1..<128 { peer.receive(Frames.reset(Int32(2 * index + 1))) }
        #expect(before > 0 && peer.session.pendingBytes == 0)
    }

    @Test func `in no order of filling do streams get more than the bound, or one of them less than its share`() throws {
        var random = SystemRandomNumberGenerator()
        let limits = HTTP2Bounds()
        let peer = stalled(streams: 127)
        _ = peer.take()
        for _ in 0..<5000 {
            let stream = peer.session.streams[Int.random(in: 0..<127, using: &random)]
            switch Int.random(in: 0..<8, using: &random) {
            case 0: peer.session.reserve(Int.random(in: 0...peer.session.reservable(on: stream), using: &random), on: stream)
            case 1 where stream.pendingBytes > 0:
                let count = UInt32(Int.random(in: 1...stream.pendingBytes, using: &random))
                peer.receive(Frames.windowUpdate(stream.id, count) + Frames.windowUpdate(0, count))
                _ = peer.take()
            default:
                let count = Int.random(in: 0...min(peer.session.room(on: stream), 65_536), using: &random)
                peer.send([UInt8](repeating: 7, count: count), on: stream)
            }
            #expect(peer.session.pendingBytes <= limits.queuedBytes)
            #expect(peer.session.excessBytes >= 0 && peer.session.excessBytes <= limits.commonBytes)
        }
        peer.receive(Frames.headers(Frames.get, stream: 255))
        let late = try #require(peer.streams[255])
        #expect(peer.session.room(on: late) >= limits.streamShareBytes && !peer.session.isFull(late))
        while let stream = peer.session.streams.first { peer.receive(Frames.reset(stream.id)) }
        #expect(peer.session.pendingBytes == 0 && peer.session.excessBytes == 0)
    }

    @Test func `one stream that is not taken from leaves as much as it holds`() throws {
        let limits = HTTP2Bounds()
        let peer = stalled(streams: 2)
        _ = peer.take()
        let first = try #require(peer.streams[1])
        let second = try #require(peer.streams[3])
        peer.session.reserve(peer.session.reservable(on: first), on: first)
        #expect(first.reserved == 262_144)
        peer.session.reserve(peer.session.reservable(on: second), on: second)
        #expect(second.reserved == limits.streamShareBytes + (limits.commonBytes - first.excess) / 2)
        peer.session.reserve(0, on: first)
        #expect(peer.session.reservable(on: second) > second.reserved)
    }

    @Test func `where memory is scarce no stream gets more than a piece`() throws {
        let peer = stalled(streams: 1)
        _ = peer.take()
        let stream = try #require(peer.streams[1])
        peer.session.isTight = true
        #expect(peer.session.room(on: stream) == 4096 && peer.session.reservable(on: stream) == 4096)
        peer.send([UInt8](repeating: 1, count: 4096), on: stream)
        #expect(peer.session.isFull(stream) && peer.session.room(on: stream) == 0)
        peer.session.isTight = false
        #expect(!peer.session.isFull(stream) && peer.session.room(on: stream) == 131_072 - 4096)
    }

    @Test func `several frames go into one write, until its limit`() throws {
        let peer = ServerPeer()
        peer.receive(Frames.preface + Frames.settings([(4, 10_000_000)]) + Frames.settingsAck + Frames.windowUpdate(0, 10_000_000))
        peer.receive(Frames.headers(Frames.get))
        let stream = try #require(peer.streams[1])
        _ = peer.take()
        peer.beginAnswer(stream)
        let content = (0..<300_000).map { UInt8(truncatingIfNeeded: $0 / 7) }
        peer.send(content, on: stream)
        peer.session.endContent(on: stream)
        var taken: [UInt8] = []
        var writes = 0
        while peer.session.wantsWrite {
            let bytes = peer.take(limit: 65_536)
            #expect(bytes.count < 65_536 + 16_384 + 9)
            taken += bytes
            writes += 1
        }
        #expect(writes < 7 && WrittenFrame.all(in: taken).only(.content).flatMap(\.payload) == content)
        #expect(peer.events.last == "closed 1 noError")
    }

    @Test func `a window that overflows is an error`() {
        let peer = stalled(streams: 1)
        peer.receive(Frames.windowUpdate(1, 0x7FFF_FFFF) + Frames.windowUpdate(1, 0x7FFF_FFFF))
        #expect(peer.frames().resets(1) == [3])
        peer.receive(Frames.windowUpdate(0, 0x7FFF_FFFF))
        #expect(peer.frames().goAways == [3])
        #expect(peer.session.failure == .protocolViolated && peer.session.isOver)
    }
}
