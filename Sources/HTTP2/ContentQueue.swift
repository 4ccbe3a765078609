import Core

/// Content waiting to be sent on one stream, first in first out.
struct ContentQueue {
    private var bytes: [UInt8] = []
    private var taken = 0

    /// Bytes waiting.
    var count: Int { bytes.count &- taken }

    mutating func append(_ content: Span<UInt8>) {
        // Half of it is long gone: move the rest down rather than grow.
        if taken > 65_536, taken &* 2 > bytes.count {
            bytes.removeSubrange(0..<taken)
            taken = 0
        }
        bytes.append(contentsOf: content)
    }

    /// Moves the first bytes, `count` of them or as many as there are, to the end of `out`.
    mutating func move(_ count: Int, to out: inout ByteBuffer) {
        let end = taken &+ Swift.min(count, self.count)
        out.append(contentsOf: bytes.span.extracting(taken..<end))
        taken = end
        if taken == bytes.count {
            bytes.removeAll(keepingCapacity: true)
            taken = 0
        }
    }

    /// Empties the queue and hands its storage to `free`.
    mutating func recycle(into free: inout [[UInt8]], limit: Int) {
        taken = 0
        guard bytes.capacity > 0 else { return }
        bytes.removeAll(keepingCapacity: true)
        var storage: [UInt8] = []
        swap(&storage, &bytes)
        if free.count < limit, storage.capacity <= 65_536 { free.append(storage) }
    }

    /// Gives a queue without storage one.
    mutating func borrow(from free: inout [[UInt8]]) {
        if bytes.capacity == 0, let storage = free.popLast() { bytes = storage }
    }
}
