import Core
import Testing

@testable import HTTP2

/// HPACK bombs: a large entry of the table, then one byte for each copy of it. Whatever kind of block it is in and whoever sends
/// it, what is decoded is bounded and has its price.
@Suite struct FieldBlockTests {
    /// An entry of about 4,000 bytes, which has index 62 as long as it is the newest.
    enum Entry: CaseIterable {
        case valid, invalidName, invalidValue, upperCase

        var literal: [UInt8] {
            let long = String(repeating: "x", count: 3900)
            return switch self {
            case .valid: Frames.indexed("x", long)
            case .invalidName: Frames.indexed(long + " ", "")
            case .invalidValue: Frames.indexed("x", long + "\0")
            case .upperCase: Frames.indexed(long + "X", "")
            }
        }
    }

    /// One more than fit into `HTTP2Bounds.decodedHeaderBytes`.
    private static let tooMany = 67
    private static func references(_ count: Int) -> [UInt8] { [UInt8](repeating: 0xBE, count: count) }

    private func frame(_ block: [UInt8], stream: Int32, flags: UInt8 = 5) -> [UInt8] {
        Frames.frame(.headers, flags: flags, stream: stream, block)
    }

    private func opened() -> ServerPeer {
        let peer = ServerPeer()
        peer.receive(Frames.opening)
        _ = peer.take()
        return peer
    }

    private func asked() -> ClientPeer {
        let client = ClientPeer(limits: .upstream(for: Bounds.HTTP2()))
        client.receive(Frames.settings + Frames.settingsAck)
        client.request()
        _ = client.take()
        return client
    }

    /// Feeds blocks until the session gives up; how many it took.
    private func endured(_ peer: ServerPeer, limit: Int = 20_000, _ bytes: (Int) -> [UInt8]) -> Int {
        for index in 0..<limit {
            peer.receive(bytes(index))
            _ = peer.take()
            if peer.session.failure != nil || peer.session.isOver { return index + 1 }
        }
        return limit
    }

    // MARK: What is decoded

    @Test(arguments: [Entry.valid, .invalidName, .invalidValue])
    func `a bomb in a request ends the connection`(_ entry: Entry) {
        let peer = opened()
        peer.receive(frame(Frames.block(Frames.get) + entry.literal + Self.references(Self.tooMany), stream: 1))
        #expect(peer.session.failure == .headerBlockTooLarge && peer.heads.isEmpty)
        #expect(peer.frames().goAways == [11])
    }

    @Test(arguments: [Entry.valid, .invalidName, .invalidValue])
    func `no more of it is decoded than the bound`(_ entry: Entry) {
        let peer = opened()
        peer.receive(frame(Frames.block(Frames.get) + entry.literal + Self.references(16_000 - 4000), stream: 1))
        #expect(peer.session.failure == .headerBlockTooLarge)
        #expect(peer.session.meter.decodedBytes < HTTP2Bounds().decodedHeaderBytes + 4100)
    }

    @Test(arguments: [Entry.valid, .invalidName, .invalidValue])
    func `a bomb in trailers ends the connection`(_ entry: Entry) {
        let peer = opened()
        peer.receive(Frames.headers(Frames.post, ends: false) + Frames.content([1]))
        peer.receive(frame(entry.literal + Self.references(Self.tooMany), stream: 1))
        #expect(peer.session.failure == .headerBlockTooLarge && peer.trailers.isEmpty)
        #expect(peer.frames().goAways == [11])
    }

    @Test(arguments: [Entry.valid, .invalidName, .invalidValue])
    func `a bomb in a second head ends the connection`(_ entry: Entry) {
        let peer = opened()
        peer.receive(Frames.headers(Frames.post, ends: false))
        peer.receive(frame(entry.literal + Self.references(Self.tooMany), stream: 1, flags: Frames.endHeaders))
        #expect(peer.session.failure == .headerBlockTooLarge && peer.frames().goAways == [11])
    }

    @Test(arguments: [Entry.valid, .invalidName, .invalidValue], ["200", "103"])
    func `a bomb in an answer ends the upstream's connection`(_ entry: Entry, _ status: String) {
        let client = asked()
        client.receive(
            frame(Frames.block([(":status", status)]) + entry.literal + Self.references(Self.tooMany), stream: 1, flags: 4))
        #expect(client.session.failure == .headerBlockTooLarge && client.heads.isEmpty && client.interim.isEmpty)
        #expect(client.frames().goAways == [11])
    }

    @Test(arguments: [Entry.valid, .invalidName, .invalidValue])
    func `a bomb in an answer's trailers ends the upstream's connection`(_ entry: Entry) {
        let client = asked()
        client.receive(Frames.headers([(":status", "200")], ends: false) + Frames.content([1]))
        client.receive(frame(entry.literal + Self.references(Self.tooMany), stream: 1))
        #expect(client.session.failure == .headerBlockTooLarge && client.trailers.isEmpty)
        #expect(client.frames().goAways == [11])
    }

    @Test(arguments: [("", ""), ("a", "b"), ("cookie", "a=b")])
    func `many small fields are as large as one`(_ name: String, _ value: String) {
        let peer = opened()
        let count = HTTP2Bounds().decodedHeaderBytes / (32 + name.utf8.count + value.utf8.count)
        peer.receive(frame(Frames.block(Frames.get) + Frames.indexed(name, value) + Self.references(count), stream: 1))
        #expect(peer.session.failure == .headerBlockTooLarge && peer.frames().goAways == [11])
    }

    @Test func `an upper-case name ends its stream, and the references to it are counted as received`() {
        let peer = opened()
        let bomb = Frames.block(Frames.get) + Entry.upperCase.literal + Self.references(10_000)
        peer.receive(frame(bomb, stream: 1, flags: Frames.endStream))
        let before = peer.session.score.points
        peer.receive(Frames.frame(.continuation, stream: 1, Self.references(10_240)))
        peer.receive(Frames.frame(.continuation, flags: Frames.endHeaders, stream: 1, Self.references(1)))
        #expect(peer.session.failure == nil && peer.events == ["reset 1"])
        #expect(peer.session.score.points - before == 2 * Glitch.continuation.points + 21)
    }

    // MARK: The price

    @Test(arguments: [Entry.valid, .invalidName, .invalidValue], [1, 7, 8, 40, 60])
    func `a request that is refused costs what was decoded of it`(_ entry: Entry, _ count: Int) {
        let peer = opened()
        peer.receive(frame(Frames.block(Frames.get) + entry.literal + Self.references(count), stream: 1))
        #expect(peer.session.failure == nil)
        let decoded = peer.session.meter.decodedBytes
        #expect(decoded > count * 3900)
        let price = peer.faults[1] == nil ? 0 : Glitch.malformedRequest.points + Int64(min(decoded, 32_768) / 2048)
        #expect(peer.session.score.points == price + Int64(max(0, decoded - 32_768) / 2048))
        #expect((peer.faults[1] == nil) == (entry == .valid && count < 8))
    }

    @Test(arguments: [Entry.valid, .invalidName, .invalidValue])
    func `requests refused for their size are borne for less than 2 MiB decoded`(_ entry: Entry) {
        let peer = opened()
        var decoded = 0
        _ = endured(peer) { index in
            decoded += index == 0 ? 0 : peer.session.meter.decodedBytes
            peer.streams.values.forEach { peer.answer($0, status: 431) }
            return frame(Frames.block(Frames.get) + entry.literal + Self.references(60), stream: Int32(2 * index + 1))
        }
        #expect(peer.session.isCalmed && decoded > 10 << 20 && decoded < 10_000 * 2048)
    }

    @Test func `malformed trailers, one after another`() {
        let peer = opened()
        let count = endured(peer) { index in
            let id = Int32(2 * index + 1)
            return Frames.headers(Frames.post, stream: id, ends: false)
                + frame(Entry.invalidName.literal + Self.references(2), stream: id)
        }
        #expect(count <= 150 && peer.session.isCalmed && peer.trailers.isEmpty)
    }

    @Test func `blocks behind our GOAWAY cost what was received`() {
        let peer = opened()
        peer.receive(Frames.headers(Frames.post, ends: false))
        peer.session.finishStreams()
        _ = peer.take()
        let count = endured(peer) { index in
            frame(Frames.block(Frames.get) + Self.references(0) + [UInt8](repeating: 0x82, count: 16_000), stream: Int32(2 * index + 3))
        }
        // 20 for the stream and 32 for its bytes.
        #expect(count == 193 && peer.heads.count == 1 && peer.session.failure == .abused)
    }

    @Test func `a block for a stream that we reset is decoded without a word, and costs what was received`() {
        let peer = opened()
        peer.receive(Frames.headers(Frames.post, ends: false))
        peer.session.reset(peer.streams[1]!, .cancel)
        _ = peer.take()
        let count = endured(peer) { _ in frame([UInt8](repeating: 0x82, count: 16_000), stream: 1) }
        #expect(count == 236 && peer.session.isCalmed && peer.trailers.isEmpty)
    }

    @Test func `CONTINUATION frames of a block that is ignored are counted`() {
        for isLeaving in [true, false] {
            let peer = opened()
            peer.receive(Frames.headers(Frames.post, ends: false))
            if isLeaving {
                peer.session.finishStreams()
            } else {
                peer.session.reset(peer.streams[1]!, .cancel)
            }
            _ = peer.take()
            peer.receive(Frames.frame(.headers, stream: isLeaving ? 3 : 1, [0x82]))
            let count = endured(peer) { _ in Frames.frame(.continuation, stream: isLeaving ? 3 : 1, [0x82]) }
            #expect(count == 9 && peer.session.failure == .headerBlockTooLarge)
        }
    }

    @Test func `streams above the number allowed cost what was received`() {
        var limits = HTTP2Bounds()
        limits.concurrentStreams = 1
        let peer = ServerPeer(limits: limits)
        peer.receive(Frames.preface + Frames.settings)
        _ = peer.take()
        peer.receive(Frames.headers(Frames.post, ends: false))
        let count = endured(peer) { index in frame([UInt8](repeating: 0x82, count: 16_000), stream: Int32(2 * index + 3)) }
        // 20 for the stream and 32 for its bytes, up to the GOAWAY; then the stream that is open is all that keeps the session.
        #expect(count == 193 && peer.session.isCalmed && peer.heads.count == 1 && peer.session.failure == .abused)
    }

    @Test func `changes of the table's size cost beyond what a head may be`() {
        let peer = opened()
        let updates = [UInt8](repeating: 0x20, count: 16_384)
        peer.receive(Frames.frame(.headers, flags: Frames.endStream, stream: 1, updates))
        for _ in 0..<7 { peer.receive(Frames.frame(.continuation, stream: 1, updates)) }
        peer.receive(Frames.frame(.continuation, flags: Frames.endHeaders, stream: 1, Frames.block(Frames.get)))
        #expect(peer.heads.count == 1 && peer.session.score.points >= 8 * Glitch.continuation.points + 6 * 32)
    }

    @Test func `an upstream's blocks for streams that are gone cost what was received`() {
        let client = asked()
        client.session.reset(client.session.streams[0], .cancel)
        _ = client.take()
        var count = 0
        while client.session.failure == nil, count < 20_000 {
            client.receive(frame([UInt8](repeating: 0x88, count: 16_000), stream: 1))
            count += 1
        }
        #expect(client.session.failure == .abused && count == 3126)
    }

    @Test func `content-length that the library passes over in an answer to CONNECT is paid for`() throws {
        let client = ClientPeer(limits: .upstream(for: Bounds.HTTP2()))
        client.receive(Frames.settings([(8, 1)]) + Frames.settingsAck)
        _ = try #require(client.request(isWebSocket: true))
        _ = client.take()
        let entry = Frames.indexed("content-length", String(repeating: "1", count: 3900))
        client.receive(
            frame(Frames.block([(":status", "200")]) + entry + Self.references(12_000), stream: 1, flags: Frames.endStream))
        #expect(client.session.score.points > 28_000)
        for _ in 0..<3 { client.receive(Frames.frame(.continuation, stream: 1, Self.references(16_384))) }
        #expect(client.session.failure == .abused && client.heads.isEmpty)
    }

    @Test func `answers that are merely wrong do not end the connection that others use`() {
        let client = ClientPeer(limits: .upstream(for: Bounds.HTTP2()))
        client.receive(Frames.settings + Frames.settingsAck)
        for index in 0..<2000 {
            client.now = Instant(nanoseconds: Int64(index) * 1_000_000)
            client.request()
            _ = client.take()
            client.receive(Frames.headers([(":status", "200"), ("a b", "c")], stream: Int32(2 * index + 1)))
            _ = client.take()
        }
        #expect(client.faults.count == 2000 && client.session.failure == nil && !client.session.isCalmed)
    }

    @Test func `an honest connection is never charged`() {
        let peer = opened()
        for index in 0..<1000 {
            let id = Int32(2 * index + 1)
            peer.receive(
                Frames.headers(Frames.post + (0..<20).map { ("x-\($0)", String(repeating: "v", count: 100)) }, stream: id, ends: false)
                    + Frames.content([1, 2], stream: id)
                    + Frames.headers([("grpc-status", "0")], stream: id))
            peer.answer(peer.streams[id]!)
            _ = peer.take()
        }
        #expect(peer.session.score.points == 0 && peer.trailers.count == 1000)
    }
}
