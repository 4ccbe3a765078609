/// A reading of the monotonic clock: nanoseconds since an arbitrary start. Never goes back.
@frozen @usableFromInline
package struct Instant: Comparable, Hashable, Sendable {
    @usableFromInline package var nanoseconds: Int64

    @inlinable package init(nanoseconds: Int64) { self.nanoseconds = nanoseconds }

    @inlinable package static func < (a: Instant, b: Instant) -> Bool { a.nanoseconds < b.nanoseconds }

    /// The instant `duration` later; saturates instead of overflowing.
    @inlinable package func advanced(by duration: Nanoseconds) -> Instant {
        let (sum, overflow) = nanoseconds.addingReportingOverflow(duration)
        return Instant(nanoseconds: overflow ? (duration < 0 ? .min : .max) : sum)
    }

    /// Nanoseconds from `earlier` to this instant; negative when `earlier` is later.
    @inlinable package func since(_ earlier: Instant) -> Nanoseconds { nanoseconds &- earlier.nanoseconds }

    package static let distantFuture = Instant(nanoseconds: .max)
}

/// A span of time in nanoseconds.
@usableFromInline package typealias Nanoseconds = Int64

extension Nanoseconds {
    @inlinable package static func seconds(_ count: Int64) -> Nanoseconds { count &* 1_000_000_000 }
    @inlinable package static func milliseconds(_ count: Int64) -> Nanoseconds { count &* 1_000_000 }

    /// Whole seconds, rounded up; what `Retry-After` and `Reset` need. Never negative.
    @inlinable package var secondsRoundedUp: Int64 {
        self <= 0 ? 0 : (self &- 1) / 1_000_000_000 &+ 1
    }
}

/// A moment of civil time: nanoseconds since 1970-01-01T00:00:00Z. What `exp`, `not_before` and dates in headers mean.
@frozen @usableFromInline
package struct WallTime: Comparable, Hashable, Sendable {
    @usableFromInline package var nanoseconds: Int64

    @inlinable package init(nanoseconds: Int64) { self.nanoseconds = nanoseconds }

    /// Saturates far away moments to the ends of the range (years 1677 and 2262).
    @inlinable package init(seconds: Int64) {
        let (product, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        nanoseconds = overflow ? (seconds < 0 ? .min : .max) : product
    }

    /// Whole seconds since 1970, rounded down.
    @inlinable package var seconds: Int64 {
        let (quotient, remainder) = nanoseconds.quotientAndRemainder(dividingBy: 1_000_000_000)
        return remainder < 0 ? quotient &- 1 : quotient
    }

    @inlinable package static func < (a: WallTime, b: WallTime) -> Bool { a.nanoseconds < b.nanoseconds }

    @inlinable package func advanced(by duration: Nanoseconds) -> WallTime {
        let (sum, overflow) = nanoseconds.addingReportingOverflow(duration)
        return WallTime(nanoseconds: overflow ? (duration < 0 ? .min : .max) : sum)
    }

    package static let distantFuture = WallTime(nanoseconds: .max)
    package static let distantPast = WallTime(nanoseconds: .min)
}

/// Both clocks read together, so that one decision sees one moment.
@frozen @usableFromInline
package struct ClockReading: Sendable {
    @usableFromInline package var instant: Instant
    @usableFromInline package var wall: WallTime

    @inlinable package init(instant: Instant, wall: WallTime) {
        self.instant = instant
        self.wall = wall
    }
}
