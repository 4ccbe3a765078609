/// Storage of buffers that are empty for now, for those that are about to be filled. Belongs to one loop.
@safe
package struct ByteBufferPool: ~Copyable {
    private var free: [UnsafeMutableRawBufferPointer]
    private let countLimit: Int
    private let byteLimit: Int

    /// - Parameters:
    ///   - countLimit: so many are kept.
    ///   - byteLimit: what grew beyond this goes back to the allocator.
    package init(countLimit: Int, byteLimit: Int) {
        unsafe free = []
        self.countLimit = countLimit
        self.byteLimit = byteLimit
        unsafe free.reserveCapacity(countLimit)
    }

    deinit {
        unsafe free.forEach { unsafe $0.deallocate() }
    }

    /// Gives a buffer without storage some to write into.
    @inline(__always)
    package mutating func lend(to buffer: inout ByteBuffer) {
        guard buffer.capacity == 0, let storage = unsafe free.popLast() else { return }
        buffer = unsafe ByteBuffer(storage: storage)
    }

    /// Empties a buffer and takes its storage back.
    package mutating func takeBack(_ buffer: inout ByteBuffer) {
        guard let storage = unsafe buffer.takeStorage() else { return }
        if storage.count <= byteLimit, unsafe free.count < countLimit {
            unsafe free.append(storage)
        } else {
            unsafe storage.deallocate()
        }
    }
}
