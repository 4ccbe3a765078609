import Core
import Testing

@testable import HTTP2

/// The window of an upstream's stream: small at first, larger when asked for, given back by what was consumed.
@Suite struct UpstreamWindowTests {
    private static let piece = [UInt8](repeating: 0, count: 4096)

    /// A session whose streams begin with 4 KiB, with a request under way.
    private func asking() throws -> (ClientPeer, HTTP2Stream) {
        let peer = ClientPeer(limits: HTTP2Bounds.upstream(for: Bounds.HTTP2()))
        peer.consumes = false
        let stream = try #require(peer.request())
        let settings = peer.frames().only(.settings).first?.payload ?? []
        #expect(stride(from: 0, to: settings.count, by: 6).map { Array(settings[$0..<$0 + 6]) }.contains([0, 4, 0, 0, 16, 0]))
        return (peer, stream)
    }

    @Test func `a window is opened once, by what it lacks`() throws {
        let (peer, stream) = try asking()
        peer.receive(Frames.settings([]) + Frames.settingsAck)
        peer.receive(Frames.headers([(":status", "200")], ends: false))
        _ = peer.take()
        #expect(peer.session.openWindow(of: stream, to: 65_536))
        #expect(peer.session.openWindow(of: stream, to: 65_536))
        #expect(peer.frames().only(.windowUpdate).map { $0.word() } == [65_536 - 4096])
        for _ in 0..<16 { peer.receive(Frames.content(Self.piece)) }
        #expect(peer.content[1]?.count == 65_536 && peer.session.failure == nil)
        peer.session.consumed(40_000, on: stream)
        #expect(peer.frames().only(.windowUpdate).map { $0.word() } == [40_000])
    }

    @Test func `a window is not opened before the upstream has taken our SETTINGS`() throws {
        let (peer, stream) = try asking()
        peer.receive(Frames.settings([]) + Frames.headers([(":status", "200")], ends: false))
        _ = peer.take()
        #expect(!peer.session.openWindow(of: stream, to: 65_536))
        #expect(peer.frames().only(.windowUpdate).isEmpty)
        peer.receive(Frames.settingsAck)
        #expect(peer.session.openWindow(of: stream, to: 65_536))
    }

    @Test func `what was consumed before our SETTINGS were taken is given back then`() throws {
        let (peer, stream) = try asking()
        peer.receive(Frames.settings([]) + Frames.headers([(":status", "200")], ends: false) + Frames.content(Self.piece))
        _ = peer.take()
        // Of the window that the library counts with until then this is a small part.
        peer.session.consumed(4096, on: stream)
        #expect(peer.frames().only(.windowUpdate).isEmpty)
        peer.receive(Frames.settingsAck)
        #expect(peer.frames().only(.windowUpdate).map { [$0.stream, Int32($0.word())] } == [[1, 4096]])
    }
}
