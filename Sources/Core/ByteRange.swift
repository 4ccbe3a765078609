/// A run of bytes inside a head, as offsets from the head's first byte.
@frozen @usableFromInline
package struct ByteRange: Equatable, Sendable {
    @usableFromInline package var start: UInt32
    @usableFromInline package var count: UInt32

    @inlinable @inline(__always)
    package init(start: Int, count: Int) {
        self.start = UInt32(truncatingIfNeeded: start)
        self.count = UInt32(truncatingIfNeeded: count)
    }

    @inlinable @inline(__always)
    package init(_ range: Range<Int>) { self.init(start: range.lowerBound, count: range.count) }

    @inlinable @inline(__always)
    package var range: Range<Int> { Int(start)..<Int(start) &+ Int(count) }
    @inlinable @inline(__always)
    package var end: Int { Int(start) &+ Int(count) }
    @inlinable @inline(__always)
    package var isEmpty: Bool { count == 0 }

    package static let empty = ByteRange(start: 0, count: 0)
}
