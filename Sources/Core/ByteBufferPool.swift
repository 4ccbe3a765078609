/// Storage of buffers that are empty for now, for those that are about to be filled. Belongs to one loop.
@safe
package struct ByteBufferPool: ~Copyable {
    private var free: [UnsafeMutableRawBufferPointer]
    private let countLimit: Int
    private let byteLimit: Int
    private let totalByteLimit: Int
    private var heldBytes = 0

    /// - Parameters:
    ///   - countLimit: so many are kept.
    ///   - byteLimit: what grew beyond this goes back to the allocator.
    ///   - totalByteLimit: the pool holds so many bytes at most.
    package init(countLimit: Int, byteLimit: Int, totalByteLimit: Int) {
        unsafe free = []
        self.countLimit = countLimit
        self.byteLimit = byteLimit
        self.totalByteLimit = totalByteLimit
        unsafe free.reserveCapacity(countLimit)
    }

    deinit {
        unsafe free.forEach { unsafe $0.deallocate() }
    }

    /// Gives a buffer without storage some to write into.
    @inline(__always)
    package mutating func lend(to buffer: inout ByteBuffer) {
        guard buffer.capacity == 0, let storage = unsafe free.popLast() else { return }
        heldBytes &-= storage.count
        buffer = unsafe ByteBuffer(storage: storage)
    }

    /// Empties a buffer and takes its storage back.
    package mutating func takeBack(_ buffer: inout ByteBuffer) {
        guard let storage = unsafe buffer.takeStorage() else { return }
        if storage.count <= byteLimit, heldBytes &+ storage.count <= totalByteLimit, unsafe free.count < countLimit {
            heldBytes &+= storage.count
            unsafe free.append(storage)
        } else {
            unsafe storage.deallocate()
        }
    }
}
