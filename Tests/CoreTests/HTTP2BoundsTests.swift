import Testing

@testable import Core

struct HTTP2BoundsTests {
    @Test func `the connection to an upstream has room for all its streams, so that none waits for another`() {
        let bounds = HTTP2Bounds.upstream(for: Bounds.HTTP2())
        #expect(bounds.connectionWindowBytes == bounds.streamWindowBytes * bounds.concurrentStreams)
        #expect(bounds.connectionWindowBytes <= 0x7FFF_FFFF)
        #expect(bounds.glitchPoints > HTTP2Bounds().glitchPoints)
    }

    @Test(arguments: [(128, 1_048_576), (128, 262_144), (10_000, 81_920_000), (1, 65_536), (7, 100_000)])
    func `the shares of all streams and what they have in common are what is queued at most`(_ streams: Int, _ queued: Int) {
        var configured = Bounds.HTTP2()
        configured.streamLimit = streams
        configured.queuedBytes = queued
        let bounds = HTTP2Bounds(configured)
        #expect(bounds.streamShareBytes * streams + bounds.commonBytes == queued)
        #expect(bounds.streamShareBytes * 2 >= queued / streams - 2 && bounds.commonBytes >= queued / 2)
        #expect(Int(HTTP2Bounds.upstream(for: configured).initialWindowBytes) <= bounds.streamShareBytes)
    }

    @Test func `a client's connection has room for a stream at least, whatever is configured`() {
        var configured = Bounds.HTTP2()
        configured.streamWindowBytes = 1_000_000
        configured.connectionWindowBytes = 70_000
        #expect(HTTP2Bounds(configured).connectionWindowBytes == 1_000_000)
        configured.streamWindowBytes = .max
        configured.connectionWindowBytes = -1
        #expect(HTTP2Bounds(configured).streamWindowBytes == 0x7FFF_FFFF)
        #expect(HTTP2Bounds(configured).connectionWindowBytes == 0x7FFF_FFFF)
    }
}
