import Glibc
import Core
import Testing

@testable import IO

@Suite struct ByteQueueTests {
    /// Two connected stream sockets, non-blocking, closed when done.
    private func withPair(_ body: (Int32, Int32) throws -> Void) rethrows {
        var pair: [Int32] = [-1, -1]
        let result = unsafe socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue) | O_NONBLOCK, 0, &pair)
        #expect(result == 0)
        defer { for descriptor in pair { close(descriptor) } }
        try body(pair[0], pair[1])
    }

    private func drain(_ descriptor: Int32) -> [UInt8] {
        var all: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65536)
        while true {
            let count = unsafe read(descriptor, &buffer, buffer.count)
            if count <= 0 { return all }
            all.append(contentsOf: buffer[0..<count])
        }
    }

    @Test func `what a slow peer does not take is kept and follows in order`() {
        withPair { writer, reader in
            let content = (0..<1_000_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
            var queue = ByteQueue()
            queue.bytes.append(contentsOf: content.span)
            var received: [UInt8] = []
            var progress = queue.write(to: writer)
            #expect(progress == .blocked)
            while progress == .blocked {
                received += drain(reader)
                progress = queue.write(to: writer)
            }
            received += drain(reader)
            #expect(progress == .drained)
            #expect(received == content)
            #expect(queue.pending == 0)
        }
    }

    @Test func `a queue that keeps what it wrote can write it again`() {
        withPair { writer, reader in
            var queue = ByteQueue()
            queue.keepsWritten = true
            queue.bytes.append("once more")
            #expect(queue.write(to: writer) == .drained)
            #expect(queue.sent == 9)
            queue.rewind()
            #expect(queue.write(to: writer) == .drained)
            #expect(drain(reader) == Array("once moreonce more".utf8))
        }
    }

    @Test func `a closed peer is a failure, not a signal`() {
        var pair: [Int32] = [-1, -1]
        _ = unsafe socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &pair)
        close(pair[1])
        defer { close(pair[0]) }
        var queue = ByteQueue()
        queue.bytes.append(1)
        #expect(queue.write(to: pair[0]) == .failed(EPIPE))
    }
}
