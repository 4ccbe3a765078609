import Core
import Testing

@testable import HTTP2

/// How sessions end: at leave, at once, and from the other side.
@Suite struct ShutdownTests {
    @Test func `an announced end refuses nothing, the end itself what comes later`() throws {
        let wire = Wire()
        let first = try #require(wire.client.request("GET", "/1"))
        wire.settle()
        wire.server.session.announceEnd()
        let notice = wire.server.take()
        #expect(WrittenFrame.all(in: notice).only(.goAway).map { $0.word() } == [0x7FFF_FFFF])
        // This one was on its way when the notice came.
        wire.client.request("GET", "/2")
        wire.settle()
        #expect(wire.server.heads.count == 2)
        wire.client.receive(notice)
        #expect(wire.client.request("GET", "/3") == nil && !wire.client.session.canOpenStream)
        wire.server.session.finishStreams()
        #expect(wire.server.session.isLeaving && !wire.server.session.isOver)
        wire.settle()
        #expect(first.isOpen && wire.client.session.isPeerLeaving)
        for stream in wire.server.streams.values { wire.server.answer(stream, body: "done") }
        wire.settle()
        #expect(wire.client.events.filter { $0.hasPrefix("closed") }.sorted() == ["closed 1 noError", "closed 3 noError"])
        #expect(wire.server.session.isOver && wire.client.session.isOver)
        #expect(wire.server.session.failure == nil && wire.client.session.failure == nil)
    }

    @Test func `requests the upstream did not see may be tried elsewhere, others not`() throws {
        let client = ClientPeer()
        client.receive(Frames.settings)
        for _ in 0..<3 { client.request("POST", framing: .chunked) }
        _ = client.take()
        client.receive(Frames.goAway(last: 1))
        #expect(client.events.suffix(2).sorted() == ["closed 3 refusedStream unprocessed", "closed 5 refusedStream unprocessed"])
        #expect(client.session.streams.map(\.id) == [1])
        #expect(client.session.streams.allSatisfy { $0.isHeadWritten && !$0.isUnprocessed })
    }

    @Test func `a refused stream may be tried elsewhere, a cancelled one not`() throws {
        let client = ClientPeer()
        client.receive(Frames.settings)
        client.request()
        client.request()
        _ = client.take()
        client.receive(Frames.reset(1, code: 7) + Frames.reset(3, code: 8))
        #expect(client.events.suffix(2) == ["closed 1 refusedStream unprocessed", "closed 3 cancel"])
    }

    @Test func `a request that was never written is unprocessed`() throws {
        let client = ClientPeer()
        client.receive(Frames.settings)
        _ = client.take()
        let stream = try #require(client.request("POST", framing: .chunked))
        client.session.send([1, 2].span, on: stream)
        #expect(!stream.isHeadWritten)
        client.receive(Frames.goAway(last: 0))
        #expect(client.frames().only(.headers).isEmpty)
        #expect(client.events.last == "closed 1 refusedStream unprocessed" && client.session.streams.isEmpty)
        #expect(client.session.pendingBytes == 0)
    }

    @Test func `a request reset before it was written leaves no trace`() throws {
        let client = ClientPeer()
        client.receive(Frames.settings)
        _ = client.take()
        let stream = try #require(client.request())
        client.session.reset(stream, .cancel)
        #expect(client.frames().only(.headers).isEmpty && client.session.streams.isEmpty && !stream.isOpen)
        #expect(client.request() != nil)
        #expect(client.frames().only(.headers).count == 1)
    }

    @Test func `terminate says why and is over`() {
        let peer = ServerPeer()
        peer.receive(Frames.opening + Frames.headers(Frames.get))
        peer.session.terminate(.enhanceYourCalm)
        #expect(peer.frames().goAways == [11])
        #expect(peer.session.isOver)
    }

    @Test func `streams that were open when the session goes are let go`() {
        weak var stream: HTTP2Stream?
        weak var session: HTTP2ServerSession?
        do {
            let peer = ServerPeer()
            peer.receive(Frames.opening + Frames.headers(Frames.post, ends: false))
            stream = peer.streams[1]
            session = peer.session
            #expect(stream != nil)
            peer.streams.removeAll()
        }
        #expect(stream == nil && session == nil)
    }

    @Test func `a PING is answered, and one of ours is waited for`() {
        let wire = Wire()
        wire.settle()
        #expect(wire.client.session.ping())
        #expect(!wire.client.session.ping())
        wire.settle()
        #expect(wire.client.events.last == "pong")
        #expect(wire.client.session.ping())
        let peer = ServerPeer()
        peer.receive(Frames.opening + Frames.frame(.ping, stream: 0, [1, 2, 3, 4, 5, 6, 7, 8]))
        let answers = peer.frames().only(.ping)
        #expect(answers.map(\.payload) == [[1, 2, 3, 4, 5, 6, 7, 8]] && answers.map(\.flags) == [1])
    }

    @Test func `the context of a stream is given up with it`() throws {
        final class Note {}
        let wire = Wire()
        wire.server.onRequest = { stream, _ in
            stream.context = Note()
            wire.server.answer(stream)
        }
        let stream = try #require(wire.client.request())
        stream.context = Note()
        wire.settle()
        #expect(stream.context == nil && wire.server.streams[1]?.context == nil)
    }
}
