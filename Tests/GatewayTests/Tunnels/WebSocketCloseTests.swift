import Testing

@testable import Gateway

struct WebSocketCloseTests {
    @Test func `to a client the frame is plain`() {
        var frame: [UInt8] = []
        WebSocketClose(code: .policyViolation, reason: "token_expired").append(to: &frame, mask: nil)
        #expect(frame == [0x88, 15, 0x03, 0xF0] + Array("token_expired".utf8))
    }

    @Test func `to a server the frame is masked`() {
        var frame: [UInt8] = []
        WebSocketClose(code: .goingAway, reason: "bye").append(to: &frame, mask: 0x0102_0304)
        #expect(Array(frame.prefix(6)) == [0x88, 0x85, 1, 2, 3, 4])
        let payload = frame.dropFirst(6).enumerated().map { $1 ^ [1, 2, 3, 4][$0 % 4] }
        #expect(payload == [0x03, 0xE9] + Array("bye".utf8))
    }

    @Test(arguments: [nil, 7] as [UInt32?])
    func `the frame is a whole one whatever the reason's length`(mask: UInt32?) {
        for length in [0, 1, 122, 123, 124, 300] {
            var frame: [UInt8] = []
            WebSocketClose(code: .goingAway, reason: String(repeating: "x", count: length)).append(to: &frame, mask: mask)
            var boundary = WebSocketBoundary()
            _ = boundary.advance(over: frame.span)
            #expect(boundary.hasClosed && boundary.isAtBoundary, "reason of \(length)")
        }
    }
}
