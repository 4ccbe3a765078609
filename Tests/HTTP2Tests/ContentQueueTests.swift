import Core
import Testing

@testable import HTTP2

@Suite struct ContentQueueTests {
    @Test func `bytes come out as they went in, whatever the pieces`() {
        var random = SystemRandomNumberGenerator()
        var queue = ContentQueue()
        var expected: [UInt8] = []
        var out = ByteBuffer()
        for _ in 0..<2000 {
            let piece = (0..<Int.random(in: 0...9000, using: &random)).map { _ in UInt8.random(in: 0...255, using: &random) }
            expected += piece
            queue.append(piece.span)
            queue.move(Int.random(in: 0...9500, using: &random), to: &out)
        }
        queue.move(queue.count, to: &out)
        #expect(out.array == expected && queue.count == 0)
    }

    @Test func `the storage of a queue is little more than what waits in it`() {
        var queue = ContentQueue()
        var out = ByteBuffer()
        let piece = [UInt8](repeating: 1, count: 1000)
        for _ in 0..<300 {
            queue.append(piece.span)
            #expect(queue.capacity <= queue.count + queue.count / 4 + 8192)
        }
        while queue.count > 4000 {
            queue.move(1000, to: &out)
            out.removeAll()
            #expect(queue.capacity <= 2 * queue.count + 32_768)
        }
        // What is lent on is small, so that a stream with little to send gets no large storage.
        var free: [[UInt8]] = []
        queue.append([UInt8](repeating: 2, count: 100_000).span)
        queue.recycle(into: &free, limit: 4)
        #expect(free.isEmpty && queue.capacity == 0)
        queue.append([UInt8](repeating: 2, count: 5000).span)
        queue.recycle(into: &free, limit: 4)
        #expect(free.count == 1)
    }
}
