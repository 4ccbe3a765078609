/// Bytes on their way out: storage that grows, has one owner, and is written without the checks of a shared array.
///
/// Growing doubles the storage; an empty buffer holds none. What its owner no longer needs goes to a `ByteBufferPool`,
/// or is freed with the buffer.
@safe @usableFromInline
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

    /// Not inlined: a call of this costs less than a call of `memmove` from each place.
    @usableFromInline
    @inline(never)
    package mutating func append(contentsOf bytes: Span<UInt8>) {
        guard bytes.count > 0 else { return }
        let place = unsafe room(for: bytes.count)
        unsafe bytes.withUnsafeBytes { source in
            if let start = source.baseAddress { unsafe place.copyRun(from: start, byteCount: source.count) }
        }
        count &+= bytes.count
    }

    /// Appends an ASCII literal. Inlined, since the compiler then stores its bytes instead of copying them.
    @inlinable
    @inline(__always)
    package mutating func append(_ literal: StaticString) {
        let number = literal.utf8CodeUnitCount
        guard number > 0 else { return }
        // SAFETY: a static string's bytes live as long as the program.
        unsafe room(for: number).copyMemory(from: literal.utf8Start, byteCount: number)
        count &+= number
    }

    @usableFromInline
    package mutating func append(magnitude: UInt64) {
        let (rest, group) = magnitude.quotientAndRemainder(dividingBy: 100_000_000)
        let digits = group.eightDigits
        var leadingZeros = 0
        if rest > 0 {
            append(magnitude: rest)
        } else {
            // Of 0 one digit is left.
            leadingZeros = min(digits.trailingZeroBitCount &>> 3, 7)
        }
        let text = (digits | 0x3030_3030_3030_3030) &>> UInt64(truncatingIfNeeded: leadingZeros &* 8)
        unsafe room(for: 8).storeBytes(of: text.littleEndian, as: UInt64.self)
        count &+= 8 &- leadingZeros
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

extension UnsafeMutableRawPointer {
    /// Copies bytes that do not overlap; a few of them, as most runs in a head have, without a call.
    @inline(__always)
    fileprivate func copyRun(from source: UnsafeRawPointer, byteCount: Int) {
        if byteCount > 32 {
            unsafe copyMemory(from: source, byteCount: byteCount)
        } else if byteCount >= 16 {
            unsafe copyEnds(of: SIMD16<UInt8>.self, from: source, byteCount: byteCount)
        } else if byteCount >= 8 {
            unsafe copyEnds(of: UInt64.self, from: source, byteCount: byteCount)
        } else if byteCount >= 4 {
            unsafe copyEnds(of: UInt32.self, from: source, byteCount: byteCount)
        } else if byteCount >= 2 {
            unsafe copyEnds(of: UInt16.self, from: source, byteCount: byteCount)
        } else if byteCount == 1 {
            unsafe storeBytes(of: source.load(as: UInt8.self), as: UInt8.self)
        }
    }

    /// Copies `byteCount` bytes, of which a `Word` holds half or more, as the first word and the last.
    @inline(__always)
    private func copyEnds<Word: BitwiseCopyable>(of type: Word.Type, from source: UnsafeRawPointer, byteCount: Int) {
        let lastOffset = byteCount &- MemoryLayout<Word>.size
        let first = unsafe source.loadUnaligned(as: type)
        let last = unsafe source.loadUnaligned(fromByteOffset: lastOffset, as: type)
        unsafe storeBytes(of: first, as: type)
        unsafe storeBytes(of: last, toByteOffset: lastOffset, as: type)
    }
}
