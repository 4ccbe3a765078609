import Core
import Policy
import Testing

@testable import TokenService

/// Whatever is asked for, a token is never good for more than what it was made with.
struct TokenNarrowingTests {
    @Test(arguments: 0..<40)
    func `a derived token never exceeds its parent`(seed: Int) throws {
        var random = SplitMix(state: UInt64(seed))
        let fixture = try ServiceFixture()
        let scopes = random.some(of: ["read", "write", "admin"])
        let authenticator = try ServiceFixture.authenticator(scopes: scopes)
        var parent: Identity = try ServiceFixture.identity(scopes: scopes)
        var shown: VerifiedToken?
        for _ in 0..<12 {
            let query = Self.options(&random)
            fixture.clock.advance(Int64(random.below(40)))
            guard case .answer(let answer) = try fixture.perform("mint", as: parent, query: query) else { continue }
            let text = try #require(try JSONNode.parse(answer.body.span)["token"]?.text)
            let token = try #require(try fixture.verified(text, parent: authenticator), "\(query)")
            #expect(Set(token.scopes).isSubset(of: scopes))
            if let shown {
                #expect(Set(token.scopes).isSubset(of: shown.scopes), "\(query)")
                #expect(Self.lifetime(token) <= Self.lifetime(shown), "\(query)")
                if let bound = shown.addresses {
                    #expect(try #require(token.addresses).isSubset(of: bound), "\(query)")
                }
            }
            #expect(token.claims["id"]?.text == KeyFamily(ServiceFixture.digest).text)
            parent = .token(token)
            shown = token
        }
    }

    private static func lifetime(_ token: VerifiedToken) -> Int64 { token.claims["expt"]?.integer ?? .max }

    private static func options(_ random: inout SplitMix) -> String {
        let choices = [
            ["", "expires_in=10000", "expires_in=5000", "expires_in=200000", "expires_in=100"],
            ["", "", "ips=request_ip", "ips=192.0.2.0/24", "ips=192.0.2.0/28,10.0.0.0/20", "ips=10.0.0.0/21"],
            ["", "", "", "no_ip_protection=true", "no_ip_protection=false"], ["", "renewable=true", "renewable=true"],
            ["", "", "scope=read", "scope=read+write", "scope=admin", "scope=write"],
        ]
        return choices.map { $0[random.below($0.count)] }.filter { !$0.isEmpty }.joined(separator: "&")
    }
}

/// Random numbers that are the same for the same seed.
struct SplitMix {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var word = state
        word = (word ^ (word >> 30)) &* 0xBF58_476D_1CE4_E5B9
        word = (word ^ (word >> 27)) &* 0x94D0_49BB_1331_11EB
        return word ^ (word >> 31)
    }

    mutating func below(_ limit: Int) -> Int { Int(truncatingIfNeeded: next() % UInt64(limit)) }

    mutating func some(of texts: [String]) -> [String] { texts.filter { _ in next() & 1 == 0 } }
}
