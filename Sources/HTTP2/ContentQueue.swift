import Core

/// Content waiting to be sent on one stream, first in first out. Its storage is little more than what waits: a stream of which
/// little is taken must not keep what it once needed.
struct ContentQueue {
    private var bytes: [UInt8] = []
    private var taken = 0

    /// Storage grows by whole steps of this, so that a queue filled in small pieces is not copied for each.
    private static let step = 4096
    /// Storage with more than this in front of what waits is given up for a smaller one.
    private static let waste = 16_384

    /// Bytes waiting.
    var count: Int { bytes.count &- taken }

    /// Bytes of storage.
    var capacity: Int { bytes.capacity }

    mutating func append(_ content: Span<UInt8>) {
        let needed = count &+ content.count
        if taken &+ needed > bytes.capacity {
            // A quarter more than is needed, where the array by itself would take twice as much.
            let wanted = bytes.isEmpty ? needed : needed &+ needed / 4
            move(to: (wanted &+ Self.step &- 1) / Self.step &* Self.step)
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
        } else if taken > Self.waste, taken &* 2 > bytes.count {
            move(to: self.count)
        }
    }

    /// Takes what waits over into storage of another size.
    private mutating func move(to capacity: Int) {
        var next: [UInt8] = []
        next.reserveCapacity(capacity)
        next.append(contentsOf: bytes.span.extracting(taken..<bytes.count))
        bytes = next
        taken = 0
    }

    /// Empties the queue and hands its storage to `free`.
    mutating func recycle(into free: inout [[UInt8]], limit: Int) {
        taken = 0
        guard bytes.capacity > 0 else { return }
        bytes.removeAll(keepingCapacity: true)
        var storage: [UInt8] = []
        swap(&storage, &bytes)
        // A larger one would stay with a stream that needs little of it.
        if free.count < limit, storage.capacity <= 3 * Self.step { free.append(storage) }
    }

    /// Gives a queue without storage one.
    mutating func borrow(from free: inout [[UInt8]]) {
        if bytes.capacity == 0, let storage = free.popLast() { bytes = storage }
    }
}
