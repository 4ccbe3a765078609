import Core
import Testing

@testable import Gateway

struct AdminGuardTests {
    private static let now = Instant(nanoseconds: 1_000_000_000_000)

    private static func token(_ number: Int) -> Digest256 { Digest256(UInt64(number), 1, 2, 3) }

    @Test func `twenty different wrong tokens of an address are looked at, and those of another are its own`() throws {
        let adminGuard = AdminGuard(seed: HashSeed(1, 2))
        let (one, other) = (try #require(IPAddress("192.0.2.1")), try #require(IPAddress("192.0.2.2")))
        for number in 0..<20 {
            #expect(adminGuard.mayTry(one, now: Self.now))
            adminGuard.recordGuess(Self.token(number), from: one, now: Self.now)
        }
        #expect(!adminGuard.mayTry(one, now: Self.now) && adminGuard.mayTry(other, now: Self.now))
        #expect(adminGuard.mayTry(one, now: Self.now.advanced(by: .seconds(61))))
    }

    @Test func `a client that repeats one old token locks nobody out`() throws {
        let adminGuard = AdminGuard(seed: HashSeed(1, 2))
        let address = try #require(IPAddress("127.0.0.1"))
        for _ in 0..<1000 { adminGuard.recordGuess(Self.token(7), from: address, now: Self.now) }
        #expect(adminGuard.mayTry(address, now: Self.now))
    }

    @Test func `guesses of others do not lock out a token that was accepted before`() throws {
        let adminGuard = AdminGuard(seed: HashSeed(1, 2))
        #expect(!adminGuard.hasAccepted(Self.token(1)))
        adminGuard.recordAccepted(Self.token(1))
        #expect(adminGuard.hasAccepted(Self.token(1)) && !adminGuard.hasAccepted(Self.token(2)))
        // After a change of the token the old one passes no longer.
        adminGuard.recordAccepted(Self.token(2))
        #expect(!adminGuard.hasAccepted(Self.token(1)))
    }

    @Test func `more guesses than are remembered are counted all the same`() throws {
        let adminGuard = AdminGuard(seed: HashSeed(1, 2))
        let address = try #require(IPAddress("127.0.0.1"))
        for number in 0..<(FixedBounds.wrongAdminTokens * 2) {
            adminGuard.recordGuess(Self.token(number), from: address, now: Self.now.advanced(by: .seconds(Int64(number) * 4)))
        }
        let last = Self.now.advanced(by: .seconds(Int64(FixedBounds.wrongAdminTokens) * 8))
        #expect(adminGuard.mayTry(address, now: last))
        for number in 0..<20 { adminGuard.recordGuess(Self.token(number), from: address, now: last) }
        #expect(!adminGuard.mayTry(address, now: last))
    }
}
