/// Bytes on their way out: storage that grows, has one owner, and is written without the checks of a shared array.
///
/// Growing doubles the storage; an empty buffer holds none. What its owner no longer needs goes to a `ByteBufferPool`,
/// or is freed with the buffer.
@safe
package struct ByteBuffer: ~Copyable, ByteSink, @unchecked Sendable {
    // SAFETY of all below: `base` points to `capacity` bytes that only this value refers to, of which the first `count`
    // are initialised. It is nil exactly while `capacity` is 0.
    @usableFromInline var base: UnsafeMutableRawPointer?
    /// Bytes appended so far.
    @usableFromInline package var count = 0
    /// Bytes that fit without growing.
    @usableFromInline package var capacity = 0

    @inlinable package init() { unsafe base = nil }

    /// Takes over storage that nobody else refers to.
    init(storage: UnsafeMutableRawBufferPointer) {
        unsafe base = storage.baseAddress
        capacity = storage.count
    }

    deinit { unsafe base?.deallocate() }

    @inlinable package var isEmpty: Bool { count == 0 }

    // MARK: Writing

    @inlinable
    @inline(__always)
    package mutating func append(_ byte: UInt8) {
        unsafe room(for: 1).storeBytes(of: byte, as: UInt8.self)
        count &+= 1
    }

    @inlinable
    @inline(__always)
    package mutating func append(contentsOf bytes: Span<UInt8>) {
        guard bytes.count > 0 else { return }
        let place = unsafe room(for: bytes.count)
        unsafe bytes.withUnsafeBytes { source in
            if let start = source.baseAddress { unsafe place.copyMemory(from: start, byteCount: source.count) }
        }
        count &+= bytes.count
    }

    /// Appends what another buffer holds.
    @inlinable
    package mutating func append(contentsOf other: borrowing ByteBuffer) {
        guard other.count > 0, let source = unsafe other.base else { return }
        unsafe room(for: other.count).copyMemory(from: source, byteCount: other.count)
        count &+= other.count
    }

    /// Forgets the bytes and keeps the storage.
    @inlinable package mutating func removeAll() { count = 0 }

    /// Forgets the first `number` bytes, at most all; the others move to the front.
    package mutating func removeFirst(_ number: Int) {
        guard number > 0, let base = unsafe base else { return }
        let rest = max(0, count &- number)
        if rest > 0 { unsafe base.copyMemory(from: base + number, byteCount: rest) }
        count = rest
    }

    /// Forgets all but the first `number` bytes.
    package mutating func truncate(to number: Int) { count = min(count, max(0, number)) }

    /// Where the next `number` bytes go, which the caller then counts.
    @inlinable
    @inline(__always)
    mutating func room(for number: Int) -> UnsafeMutableRawPointer {
        if number <= capacity &- count, let base = unsafe base { return unsafe base + count }
        return unsafe grow(by: number)
    }

    @usableFromInline
    @inline(never)
    mutating func grow(by number: Int) -> UnsafeMutableRawPointer {
        let wanted = max(count + number, capacity &* 2, 256)
        let larger = UnsafeMutableRawPointer.allocate(byteCount: wanted, alignment: 16)
        if let base = unsafe base {
            unsafe larger.copyMemory(from: base, byteCount: count)
            unsafe base.deallocate()
        }
        unsafe base = larger
        capacity = wanted
        return unsafe larger + count
    }

    // MARK: Reading

    /// Lends the bytes out as a span.
    @inlinable
    @inline(__always)
    package func withSpan<Result: ~Copyable, Failure: Error>(
        _ body: (Span<UInt8>) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        guard let base = unsafe base else { return try body(Span()) }
        return try body(unsafe Span(_unsafeStart: base.assumingMemoryBound(to: UInt8.self), count: count))
    }

    /// Lends the bytes out for calls into C.
    @inlinable
    package func withUnsafeBytes<Result: ~Copyable>(_ body: (UnsafeRawBufferPointer) -> Result) -> Result {
        unsafe body(UnsafeRawBufferPointer(start: base, count: count))
    }

    /// The bytes as an array of their own.
    package var array: [UInt8] { withSpan { $0.copied() } }

    // MARK: Storage

    /// The storage, which is the caller's from now on; the buffer is empty. Nil when it has none.
    mutating func takeStorage() -> UnsafeMutableRawBufferPointer? {
        guard let start = unsafe base else { return nil }
        let storage = unsafe UnsafeMutableRawBufferPointer(start: start, count: capacity)
        unsafe base = nil
        count = 0
        capacity = 0
        return unsafe storage
    }
}
