import Testing

@testable import Gateway

struct TunnelDirectionTests {
    private static let text = WebSocketBoundaryTests.frame(1, 10)

    @Test func `an open direction passes everything`() {
        var direction = TunnelDirection(isWebSocket: true)
        let first = direction.pass(Array(Self.text.prefix(5)).span)
        let second = direction.pass(Self.text.span)
        #expect(first == 5 && second == Self.text.count && !direction.isClosed)
    }

    @Test func `between frames the close frame goes at once and nothing behind it`() {
        var direction = TunnelDirection(isWebSocket: true)
        _ = direction.pass(Self.text.span)
        direction.close()
        #expect(!direction.isClosed)
        let (first, second) = (direction.takesCloseFrame(), direction.takesCloseFrame())
        #expect(first && !second && direction.isClosed)
        let passed = direction.pass(Self.text.span)
        #expect(passed == 0)
    }

    @Test func `inside a frame its rest passes first, and no byte of the next`() {
        for cut in 1..<Self.text.count {
            var direction = TunnelDirection(isWebSocket: true)
            _ = direction.pass(Array(Self.text.prefix(cut)).span)
            direction.close()
            let early = direction.takesCloseFrame()
            #expect(!early && !direction.isClosed)
            let rest = Array(Self.text.dropFirst(cut)) + Self.text
            let passed = direction.pass(rest.span)
            let inTime = direction.takesCloseFrame()
            #expect(passed == Self.text.count - cut && inTime && direction.isClosed, "cut at \(cut)")
        }
    }

    @Test func `behind the peer's own close frame there is none of ours`() {
        var direction = TunnelDirection(isWebSocket: true)
        _ = direction.pass(WebSocketBoundaryTests.frame(8, 2).span)
        #expect(direction.hasSeenClose)
        direction.close()
        let takes = direction.takesCloseFrame()
        #expect(direction.isClosed && !takes)
    }

    @Test func `the peer's close frame under way is the last`() {
        var direction = TunnelDirection(isWebSocket: true)
        let close = WebSocketBoundaryTests.frame(8, 2)
        _ = direction.pass(Array(close.prefix(3)).span)
        direction.close()
        let passed = direction.pass(Array(close.dropFirst(3)).span)
        let takes = direction.takesCloseFrame()
        #expect(passed == 1 && !takes && direction.isClosed)
    }

    @Test func `what is no WebSocket, or not any more, closes without a frame`() {
        var other = TunnelDirection(isWebSocket: false)
        _ = other.pass(Self.text.span)
        other.close()
        let (takes, passed) = (other.takesCloseFrame(), other.pass([1].span))
        #expect(other.isClosed && !takes && passed == 0)
        var lost = TunnelDirection(isWebSocket: true)
        _ = lost.pass([0x89, 0xFF].span)
        lost.close()
        let lostTakes = lost.takesCloseFrame()
        #expect(lost.isClosed && !lostTakes)
    }

    @Test func `what turns out to be no frame while closing closes without one`() {
        var direction = TunnelDirection(isWebSocket: true)
        _ = direction.pass([0x89].span)
        direction.close()
        _ = direction.pass([0xFF, 1, 2].span)
        let takes = direction.takesCloseFrame()
        #expect(!takes && direction.isClosed)
    }

    @Test func `a direction that ended stays ended`() {
        var direction = TunnelDirection(isWebSocket: true)
        direction.end()
        direction.close()
        let takes = direction.takesCloseFrame()
        #expect(direction.isClosed && !takes)
    }
}
