import Core
import Store
import Testing
import TokenService

@testable import Gateway

/// How many credentials are kept.
struct CredentialArchiveTests {
    private static func credential(_ subject: Int, endsAt seconds: Int64?, signIn: SignInTime = SignInTime()) -> StoredUpstreamCredential {
        StoredUpstreamCredential(
            identity: .init(name: "app", issuer: "app", subject: "\(subject)"), signIn: signIn, document: [],
            expiresAt: seconds.map { WallTime(seconds: $0) })
    }

    @Test func `nothing is removed while there is room`() {
        let kept = (0..<127).map { Self.credential($0, endsAt: Int64($0)) }
        #expect(Registry.superfluous(kept, limit: 128).isEmpty)
        #expect(Registry.superfluous([StoredUpstreamCredential](), limit: 1).isEmpty)
    }

    @Test(arguments: [128, 129, 200])
    func `those whose keys ended first go, and there is room again`(count: Int) {
        let kept = (0..<count).map { Self.credential($0, endsAt: Int64(1000 + $0)) }.shuffled()
        let removed = Registry.superfluous(kept, limit: 128).compactMap { Int($0.subject) }
        #expect(removed == Array(0..<removed.count))
        #expect(count - removed.count < 128 && count - removed.count >= 120)
    }

    @Test func `where nobody says when a key ends its sign-in counts`() {
        let kept = [
            Self.credential(0, endsAt: nil, signIn: SignInTime(issuedAt: 50)), Self.credential(1, endsAt: 40),
            Self.credential(2, endsAt: nil, signIn: SignInTime(endsAt: 45)),
            Self.credential(3, endsAt: nil, signIn: SignInTime(issuedAt: 30)),
        ]
        #expect(Registry.superfluous(kept, limit: 4).map(\.subject) == ["3"])
        #expect(Registry.superfluous(kept, limit: 3).map(\.subject) == ["3", "1"])
        #expect(Registry.superfluous(kept, limit: 2).map(\.subject) == ["3", "1", "2"])
    }
}
