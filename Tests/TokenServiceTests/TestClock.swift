import Core
import Synchronization

/// A clock that stands still until it is moved.
final class TestClock: Sendable {
    private let held = Mutex(ClockReading(instant: Instant(nanoseconds: 5_000_000_000_000), wall: WallTime(seconds: 1_800_000_000)))

    var now: ClockReading { held.withLock { $0 } }

    func advance(_ seconds: Int64) {
        held.withLock {
            $0 = ClockReading(
                instant: $0.instant.advanced(by: .seconds(seconds)), wall: $0.wall.advanced(by: .seconds(seconds)))
        }
    }
}
