import Testing

@testable import Core

struct HTTP2BoundsTests {
    @Test func `the connection to an upstream has room for all its streams, so that none waits for another`() {
        let bounds = HTTP2Bounds.upstream
        #expect(bounds.connectionWindowBytes == bounds.streamWindowBytes * bounds.concurrentStreams)
        #expect(bounds.connectionWindowBytes <= 0x7FFF_FFFF)
        #expect(bounds.glitchPoints > HTTP2Bounds().glitchPoints)
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
