import Core
import Testing

@testable import Gateway

@Suite struct NameScheduleTests {
    private static let one = [IPAddress(v4: 0x0A00_0001)]
    private static let two = [IPAddress(v4: 0x0A00_0001), IPAddress(v4: 0x0A00_0002)]

    private static func failure(_ message: String) -> NameLookups.Outcome { .failure(NameResolution.Failure(message: message)) }
    private static func at(_ seconds: Int64) -> Instant { Instant(nanoseconds: seconds * 1_000_000_000) }

    @Test func `a name without addresses is asked for every second, and when it has some at the usual interval`() {
        var schedule = NameSchedule()
        schedule.adopt(["api.test": NameAnswer(addresses: [], failure: "no such name")], now: Self.at(0))
        #expect(schedule.takeDue(now: Self.at(0)) == ["api.test"])
        #expect(schedule.takeDue(now: Self.at(5)) == [] && schedule.nextDue == nil)
        // The failure was reported when the policy was loaded.
        #expect(schedule.take(Self.failure("no such name"), for: "api.test", now: Self.at(5)) == .none)
        #expect(schedule.nextDue == Self.at(6))
        #expect(schedule.takeDue(now: Self.at(6)) == ["api.test"])
        #expect(schedule.take(.success(Self.one), for: "api.test", now: Self.at(6)) == .resolved(Self.one))
        #expect(schedule.answers == ["api.test": NameAnswer(addresses: Self.one)])
        #expect(schedule.nextDue == Self.at(6).advanced(by: FixedBounds.nameRefresh))
    }

    @Test func `a name that leads elsewhere is news, the same addresses in another order are not`() {
        var schedule = NameSchedule()
        schedule.adopt(["api.test": NameAnswer(addresses: Self.two)], now: Self.at(0))
        #expect(schedule.takeDue(now: Self.at(29)) == [] && schedule.takeDue(now: Self.at(30)) == ["api.test"])
        #expect(schedule.take(.success(Self.two.reversed()), for: "api.test", now: Self.at(30)) == .none)
        #expect(schedule.take(.success(Self.one), for: "api.test", now: Self.at(60)) == .moved(Self.one))
    }

    @Test func `a name that cannot be resolved any more keeps its addresses, and that is told once`() {
        var schedule = NameSchedule()
        schedule.adopt(["api.test": NameAnswer(addresses: Self.one)], now: Self.at(0))
        let told = NameSchedule.News.failed("down", keepsAddresses: true)
        #expect(schedule.take(Self.failure("down"), for: "api.test", now: Self.at(30)) == told)
        #expect(schedule.take(Self.failure("down"), for: "api.test", now: Self.at(60)) == .none)
        #expect(schedule.answers["api.test"]?.addresses == Self.one)
        #expect(schedule.nextDue == Self.at(90))
        #expect(schedule.take(.success(Self.one), for: "api.test", now: Self.at(90)) == .resolved(Self.one))
    }

    @Test func `a reload keeps what is known, takes what it found, and forgets what is gone`() {
        var schedule = NameSchedule()
        schedule.adopt(["a.test": NameAnswer(addresses: Self.one), "b.test": NameAnswer(addresses: [], failure: "x")], now: Self.at(0))
        #expect(schedule.takeDue(now: Self.at(0)) == ["b.test"])
        // Loaded while the names were being followed: what a lookup found meanwhile is newer.
        _ = schedule.take(.success(Self.two), for: "a.test", now: Self.at(1))
        let loaded = ["a.test": NameAnswer(addresses: Self.one), "b.test": NameAnswer(addresses: Self.one)]
        schedule.adopt(loaded, now: Self.at(2))
        #expect(schedule.answers["a.test"]?.addresses == Self.two && schedule.answers["b.test"]?.addresses == Self.one)
        schedule.adopt(["a.test": NameAnswer(addresses: [], failure: "slow")], now: Self.at(3))
        #expect(schedule.answers == ["a.test": NameAnswer(addresses: Self.two)])
        #expect(schedule.take(.success(Self.two), for: "b.test", now: Self.at(4)) == .none)
        #expect(schedule.answers.count == 1)
    }

    @Test func `SIGHUP makes every name due`() {
        var schedule = NameSchedule()
        schedule.adopt(["a.test": NameAnswer(addresses: Self.one), "b.test": NameAnswer(addresses: Self.two)], now: Self.at(0))
        schedule.hasten(now: Self.at(1))
        #expect(schedule.takeDue(now: Self.at(1)) == ["a.test", "b.test"])
    }
}
