import Core
import Testing

@testable import IO

@Suite struct TimingWheelTests {
    private static let start = Instant(nanoseconds: 5_000_000_000_000)

    private func registration(_ number: Int) -> Registration {
        Registration(slot: UInt32(number), generation: 0)
    }

    @Test func `a deadline fires after its instant and at most two ticks later`() {
        let tick = Int64(1) << TimingWheel.tickShift
        for offset in stride(from: Int64(0), to: 3_000_000_000, by: 37_000_001) {
            var wheel = TimingWheel(now: Self.start)
            let deadline = Self.start.advanced(by: offset)
            let firing = wheel.insert(registration(1), at: deadline)
            #expect(firing >= deadline)
            #expect(firing.since(deadline) <= 2 * tick)
            var due: [Registration] = []
            wheel.advance(to: Instant(nanoseconds: firing.nanoseconds - 1), into: &due)
            #expect(due.isEmpty)
            wheel.advance(to: firing, into: &due)
            #expect(due == [registration(1)])
            #expect(wheel.count == 0)
        }
    }

    @Test func `a deadline beyond the wheel comes round early and never late`() {
        var wheel = TimingWheel(now: Self.start)
        let firing = wheel.insert(registration(7), at: Self.start.advanced(by: .seconds(3600)))
        #expect(firing < Self.start.advanced(by: .seconds(60)))
        #expect(wheel.nextFiring == firing)
    }

    @Test func `the next firing is that of the nearest occupied slot`() {
        var wheel = TimingWheel(now: Self.start)
        #expect(wheel.nextFiring == nil)
        let late = wheel.insert(registration(1), at: Self.start.advanced(by: .seconds(9)))
        #expect(wheel.nextFiring == late)
        let early = wheel.insert(registration(2), at: Self.start.advanced(by: .milliseconds(40)))
        #expect(wheel.nextFiring == early)
        var due: [Registration] = []
        wheel.advance(to: early, into: &due)
        #expect(due == [registration(2)])
        #expect(wheel.nextFiring == late)
    }

    @Test func `a long sleep fires everything that was due exactly once`() {
        var wheel = TimingWheel(now: Self.start)
        for number in 0..<500 {
            wheel.insert(registration(number), at: Self.start.advanced(by: .milliseconds(Int64(number) * 30)))
        }
        var due: [Registration] = []
        wheel.advance(to: Self.start.advanced(by: .seconds(1000)), into: &due)
        #expect(Set(due.map(\.slot)).count == 500)
        #expect(due.count == 500)
        #expect(wheel.count == 0)
    }

    @Test func `random schedules fire every entry once and none early`() {
        var random = SystemRandomNumberGenerator()
        var wheel = TimingWheel(now: Self.start)
        var expected: [UInt32: Instant] = [:]
        var now = Self.start
        var next: UInt32 = 0
        for _ in 0..<2000 {
            if Bool.random(using: &random) {
                let deadline = now.advanced(by: Int64.random(in: 0...12_000_000_000, using: &random))
                wheel.insert(Registration(slot: next, generation: 0), at: deadline)
                expected[next] = deadline
                next += 1
            } else {
                now = now.advanced(by: Int64.random(in: 0...400_000_000, using: &random))
                var due: [Registration] = []
                wheel.advance(to: now, into: &due)
                for registration in due {
                    let deadline = expected.removeValue(forKey: registration.slot)
                    #expect(deadline != nil)
                    #expect((deadline ?? .distantFuture) <= now)
                }
            }
        }
        #expect(wheel.count == expected.count)
    }
}
