package import Core

private import Glibc

/// The civil time of the machine, for work that no request began.
package enum WallClock {
    package static func now() -> WallTime {
        var time = timespec()
        // SAFETY: clock_gettime(2) writes one timespec.
        unsafe clock_gettime(CLOCK_REALTIME, &time)
        return WallTime(nanoseconds: Int64(time.tv_sec) &* 1_000_000_000 &+ Int64(time.tv_nsec))
    }
}
