import Core
import Testing

@testable import Policy

/// The cell's rules, with every moment given by hand.
struct KeySetCellTests {
    private let set: KeySet
    private let other: KeySet

    init() throws {
        set = try Sample.keySet(Sample.key(kid: "a"))
        other = try Sample.keySet(Sample.key(kid: "b"))
    }

    private func at(_ seconds: Int64) -> ClockReading { Sample.clock(seconds) }

    /// A cell of a fetched set: cool-down 30 s, of use 3600 s after it went stale.
    private func remote() -> KeySetCell {
        KeySetCell(name: "issuer", isRemote: true, cooldown: .seconds(30), staleLimit: .seconds(3600))
    }

    @Test func `a new cell has no keys, and no generation is current`() {
        let cell = remote()
        #expect(cell.current(now: at(0).instant) == nil)
        #expect(cell.generation == 0)
        #expect(cell.isStale(now: at(0).instant))
        #expect(!cell.isCurrent(1, now: at(0).instant))
    }

    @Test func `another set is another generation, the same set is not`() throws {
        let cell = remote()
        cell.install(set, now: at(0), freshFor: .seconds(600))
        #expect(cell.generation == 1)
        let again = try Sample.keySet(Sample.key(kid: "a"))
        cell.install(again, now: at(1), freshFor: .seconds(600))
        #expect(cell.generation == 1)
        cell.install(other, now: at(2), freshFor: .seconds(600))
        #expect(cell.generation == 2)
        #expect(!cell.isCurrent(1, now: at(2).instant))
        #expect(cell.current(now: at(2).instant)?.set.keys.map(\.kid) == ["b"])
    }

    @Test func `keys are used until the stale limit and not a nanosecond longer`() {
        let cell = remote()
        cell.install(set, now: at(0), freshFor: .seconds(600))
        #expect(!cell.isStale(now: at(599).instant))
        #expect(cell.isStale(now: at(600).instant))
        let end = Instant(nanoseconds: at(4200).instant.nanoseconds)
        let before = Instant(nanoseconds: end.nanoseconds - 1)
        #expect(cell.isCurrent(1, now: before))
        #expect(cell.current(now: before) != nil)
        #expect(!cell.isCurrent(1, now: end))
        #expect(cell.current(now: end) == nil)
        #expect(!cell.status(now: end).isUsable)
    }

    @Test func `a fetch that brings the same keys lengthens their life`() {
        let cell = remote()
        cell.install(set, now: at(0), freshFor: .seconds(600))
        cell.install(set, now: at(500), freshFor: .seconds(600))
        #expect(!cell.isStale(now: at(1000).instant))
        #expect(cell.isCurrent(1, now: at(4699).instant))
    }

    @Test func `keys of a file do not age, and nobody fetches them`() {
        let cell = KeySetCell(name: "local", isRemote: false)
        cell.install(set, now: at(0), freshFor: nil)
        #expect(cell.isCurrent(1, now: at(9_000_000_000).instant))
        #expect(!cell.isStale(now: at(9_000_000_000).instant))
        #expect(!cell.mayRefetch(forUnknownKid: "x", now: at(1).instant))
        #expect(cell.status(now: at(1).instant).freshFor == nil)
    }

    @Test func `a failed fetch keeps the keys and is counted`() {
        let cell = remote()
        cell.install(set, now: at(0), freshFor: .seconds(600))
        cell.fetchFailed("connection refused", now: at(700))
        cell.fetchFailed("status 502", now: at(800))
        #expect(cell.isCurrent(1, now: at(800).instant))
        var status = cell.status(now: at(800).instant)
        #expect(status.lastError == "status 502")
        #expect(status.lastErrorAt == at(800).wall)
        #expect(status.consecutiveFailures == 2)
        #expect(status.fetchedAt == at(0).wall)
        #expect(status.freshFor == .seconds(-200))
        cell.install(set, now: at(900), freshFor: .seconds(600))
        status = cell.status(now: at(900).instant)
        #expect(status.lastError == nil)
        #expect(status.consecutiveFailures == 0)
        #expect(status.freshFor == .seconds(600))
    }

    @Test func `a thousand unknown key ids cause one fetch in a cool-down`() {
        let cell = remote()
        cell.install(set, now: at(0), freshFor: .seconds(600))
        #expect(cell.mayRefetch(forUnknownKid: "0", now: at(100).instant))
        // All who come while that fetch runs wait for it.
        for index in 1..<1000 { #expect(cell.mayRefetch(forUnknownKid: "\(index)", now: at(100).instant)) }
        cell.install(set, now: at(101), freshFor: .seconds(600))
        for index in 0..<1000 { #expect(!cell.mayRefetch(forUnknownKid: "\(index)", now: at(129).instant)) }
        #expect(cell.mayRefetch(forUnknownKid: "new", now: at(130).instant))
    }

    @Test func `a key id that a fetch did not bring is known to be missing for 30 seconds`() {
        let cell = KeySetCell(name: "issuer", isRemote: true, cooldown: .seconds(1), staleLimit: 0)
        #expect(cell.mayRefetch(forUnknownKid: "gone", now: at(100).instant))
        cell.install(set, now: at(101), freshFor: .seconds(600))
        #expect(!cell.mayRefetch(forUnknownKid: "gone", now: at(130).instant))
        #expect(cell.mayRefetch(forUnknownKid: "gone", now: at(131).instant))
    }

    @Test func `a key id that appears is forgotten as missing`() {
        let cell = KeySetCell(name: "issuer", isRemote: true, cooldown: .seconds(1), staleLimit: .seconds(60))
        #expect(cell.mayRefetch(forUnknownKid: "b", now: at(100).instant))
        cell.install(set, now: at(100), freshFor: .seconds(600))
        #expect(cell.status(now: at(100).instant).missingKids == 1)
        cell.install(other, now: at(105), freshFor: .seconds(600))
        #expect(cell.status(now: at(105).instant).missingKids == 0)
        // Revoked again: a fetch may be asked for at once.
        cell.install(set, now: at(106), freshFor: .seconds(600))
        #expect(cell.mayRefetch(forUnknownKid: "b", now: at(107).instant))
    }

    @Test func `at most 256 missing key ids are remembered`() {
        let cell = KeySetCell(name: "issuer", isRemote: true, cooldown: .seconds(1), staleLimit: .seconds(60))
        for index in 0..<2000 { _ = cell.mayRefetch(forUnknownKid: "\(index)", now: at(100).instant) }
        cell.install(set, now: at(100), freshFor: .seconds(600))
        #expect(cell.status(now: at(100).instant).missingKids == 256)
        for index in 2000..<4000 { _ = cell.mayRefetch(forUnknownKid: "\(index)", now: at(102).instant) }
        cell.install(set, now: at(102), freshFor: .seconds(600))
        #expect(cell.status(now: at(102).instant).missingKids == 256)
    }

    @Test func `a failed fetch leaves no key id missing but holds the cool-down`() {
        let cell = remote()
        #expect(cell.mayRefetch(forUnknownKid: "a", now: at(100).instant))
        cell.fetchFailed("timed out", now: at(105))
        #expect(!cell.mayRefetch(forUnknownKid: "a", now: at(106).instant))
        #expect(cell.status(now: at(106).instant).missingKids == 0)
        #expect(cell.mayRefetch(forUnknownKid: "a", now: at(130).instant))
    }

    @Test func `waiting for a fetch that never reports ends with the cool-down`() {
        let cell = remote()
        #expect(cell.mayRefetch(forUnknownKid: "a", now: at(100).instant))
        #expect(cell.mayRefetch(forUnknownKid: "a", now: at(129).instant))
        // A new fetch begins.
        #expect(cell.mayRefetch(forUnknownKid: "a", now: at(131).instant))
        #expect(cell.mayRefetch(forUnknownKid: "a", now: at(160).instant))
    }

    @Test func `a token without a key id may cause a fetch as well`() {
        let cell = KeySetCell(name: "issuer", isRemote: true, cooldown: .seconds(1), staleLimit: .seconds(60))
        #expect(cell.mayRefetch(forUnknownKid: nil, now: at(100).instant))
        cell.install(set, now: at(101), freshFor: .seconds(600))
        #expect(!cell.mayRefetch(forUnknownKid: nil, now: at(102).instant))
        #expect(cell.mayRefetch(forUnknownKid: "", now: at(102).instant))
    }

    @Test func `a reload changes cool-down and stale limit at once`() {
        let cell = remote()
        cell.install(set, now: at(0), freshFor: .seconds(600))
        cell.configure(cooldown: .seconds(5), staleLimit: 0)
        #expect(!cell.isCurrent(1, now: at(600).instant))
        #expect(cell.mayRefetch(forUnknownKid: "x", now: at(10).instant))
        cell.fetchFailed("timed out", now: at(10))
        #expect(cell.mayRefetch(forUnknownKid: "x", now: at(15).instant))
    }
}
