import Core
import Testing

/// Which of two sign-ins brings what is newer.
struct SignInTimeTests {
    private static func time(_ issuedAt: Int64, _ endsAt: Int64) -> SignInTime { SignInTime(issuedAt: issuedAt, endsAt: endsAt) }

    @Test(arguments: [
        // Both say when they were issued: their ends do not matter.
        (shown: (20, 90), kept: (10, 100), isNewer: true), ((10, 90), (10, 80), false), ((9, 900), (10, 80), false),
        // Neither does: the later end is newer.
        ((0, 101), (0, 100), true), ((0, 100), (0, 100), false), ((0, 99), (0, 100), false),
        // Only the one shown does, and is newer whatever its end.
        ((10, 50), (0, 100), true), ((1, 0), (0, 100), true),
        // Only the one kept does: it is newer unless the other one ends later.
        ((0, 101), (10, 100), true), ((0, 100), (10, 100), false), ((0, 99), (10, 100), false),
        // Nothing is said at all.
        ((0, 0), (0, 0), false), ((0, 0), (10, 100), false), ((0, 0), (0, 100), false), ((0, 1), (0, 0), true),
    ] as [(shown: (Int64, Int64), kept: (Int64, Int64), isNewer: Bool)])
    func `iat decides, and exp where a token has no iat`(shown: (Int64, Int64), kept: (Int64, Int64), isNewer: Bool) {
        let (shown, kept) = (Self.time(shown.0, shown.1), Self.time(kept.0, kept.1))
        #expect(shown.isNewer(than: kept) == isNewer)
        // In its place it is later, and it is not newer than itself.
        if isNewer {
            let next = shown.following(kept)
            #expect(next.isLater(than: kept) && !kept.isLater(than: next))
            #expect(!shown.isNewer(than: next))
        }
    }

    @Test func `dates before 1970 count as none`() {
        #expect(Self.time(-5, .min) == SignInTime())
        #expect(!Self.time(.min, -1).isNewer(than: SignInTime()))
    }

    @Test func `in whatever order tokens are shown, each brings something once at most`() {
        var random = SplitMix(state: 7)
        for _ in 0..<500 {
            let tokens = (0..<6).map { _ in
                Self.time(Int64.random(in: 0...4, using: &random), Int64.random(in: 0...6, using: &random))
            }
            var kept = tokens[0]
            var brought = [0: 1]
            for _ in 0..<60 {
                let index = Int.random(in: 0..<tokens.count, using: &random)
                guard tokens[index].isNewer(than: kept) else { continue }
                let next = tokens[index].following(kept)
                #expect(next.isLater(than: kept))
                kept = next
                brought[index, default: 0] += 1
            }
            #expect(brought.values.allSatisfy { $0 == 1 })
        }
    }
}
