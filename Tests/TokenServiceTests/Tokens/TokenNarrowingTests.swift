import Core
import Policy
import Store
import Testing

@testable import TokenService

/// Whatever is asked for, a token is never good for more than what it was made with.
struct TokenNarrowingTests {
    @Test(arguments: 0..<40)
    func `a derived token never exceeds its parent`(seed: Int) throws {
        var random = SplitMix(state: UInt64(seed))
        let fixture = try ServiceFixture()
        let scopes = random.some(of: ["read", "write", "admin"])
        let lock = Self.lock(&random)
        let confined = Self.confinement(&random, now: fixture.clock.now.wall)
        let authenticator = try ServiceFixture.authenticator(scopes: scopes, realm: lock, confined: confined)
        var parent: Identity = try ServiceFixture.identity(scopes: scopes, realm: lock, confined: confined)
        var shown: VerifiedToken?
        for _ in 0..<12 {
            let query = Self.options(&random)
            let named = Self.realm(&random)
            fixture.clock.advance(Int64(random.below(40)))
            try Self.makeNewerSigningKey(fixture, &random)
            guard case .answer(let answer) = try fixture.perform("mint", as: parent, query: query, realm: named) else { continue }
            let content = try JSONNode.parse(answer.body.span)
            let text = try #require(content["token"]?.text)
            let token = try #require(try fixture.verified(text, parent: authenticator), "\(query)")
            try Self.expectWithin(confined, token, content, now: fixture.clock.now.wall, query)
            #expect(Set(token.scopes).isSubset(of: scopes))
            #expect(token.realm == lock ?? shown?.realm ?? named, "\(query)")
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

    @Test(arguments: 0..<40)
    func `a refreshed token never exceeds the first one`(seed: Int) throws {
        var random = SplitMix(state: UInt64(seed))
        let scopes = random.some(of: ["read", "write", "admin"])
        let lock = Self.lock(&random)
        let confined = Self.confinement(&random, now: TestClock().now.wall)
        let stored = ServiceFixture.storedKey(scopes: scopes, realm: lock, confined: confined)
        let fixture = try ServiceFixture([.putKey(stored)])
        let authenticator = try ServiceFixture.authenticator(scopes: scopes, realm: lock, confined: confined)
        let key = try ServiceFixture.identity(scopes: scopes, realm: lock, confined: confined)
        for _ in 0..<6 {
            let query = Self.options(&random)
            let named = Self.realm(&random)
            try Self.makeNewerSigningKey(fixture, &random)
            guard case .answer(let answer) = try fixture.perform("mint-refresh", as: key, query: query, realm: named) else {
                continue
            }
            var content = try JSONNode.parse(answer.body.span)
            let begun = try #require(content["token"]?.text)
            let first = try #require(try fixture.verified(begun, parent: authenticator), "\(query)")
            #expect(first.realm == lock ?? named, "\(query)")
            try Self.expectWithin(confined, first, content, now: fixture.clock.now.wall, query)
            for _ in 0..<4 {
                fixture.clock.advance(Int64(random.below(40)))
                let route = ["refresh", "refresh-bare"][random.below(2)]
                let named = Self.realm(&random)
                let shown = try #require(content["refresh_token"]?.text)
                guard case .answer(let next) = try fixture.refresh(shown, at: route, realm: named) else { continue }
                content = try JSONNode.parse(next.body.span)
                let text = try #require(content["token"]?.text)
                let token = try #require(try fixture.verified(text, parent: authenticator), "\(query), \(route)")
                #expect(Set(token.scopes).isSubset(of: first.scopes), "\(query), \(route)")
                #expect(Self.lifetime(token) <= Self.lifetime(first), "\(query), \(route)")
                #expect(token.realm == first.realm ?? named, "\(query), \(route)")
                try Self.expectWithin(confined, token, content, now: fixture.clock.now.wall, "\(query), \(route)")
                if let bound = first.addresses {
                    let addresses = try #require(token.addresses, "\(query), \(route)")
                    #expect(addresses.isSubset(of: bound), "\(query), \(route)")
                }
            }
        }
    }

    /// The newest key of the set is that of a realm nobody here has to do with.
    private static func makeNewerSigningKey(_ fixture: ServiceFixture, _ random: inout SplitMix) throws {
        _ = try fixture.answer("mint", as: try ServiceFixture.identity(id: "other"), realm: "rl_\(random.below(1000))")
    }

    /// What a token and its answer say goes no further than the key: they are read by others than this gateway too.
    private static func expectWithin(
        _ confined: ServiceFixture.Confinement, _ token: VerifiedToken, _ answer: JSONNode, now: WallTime, _ how: String
    ) throws {
        let end = try #require(token.claims["exp"]?.integer, "\(how)")
        #expect(end > now.seconds && end <= confined.end?.seconds ?? .max, "\(how)")
        #expect(answer["expires_in"]?.integer == end - now.seconds, "\(how)")
        #expect(token.claims["expt"]?.integer == end - now.seconds, "\(how)")
        if let rest = answer["refresh_expires_in"]?.integer {
            #expect(rest > 0 && rest <= 3600 && now.seconds + rest <= confined.end?.seconds ?? .max, "\(how)")
        }
        guard !confined.addresses.isEmpty, token.claims["ips"] != nil || token.claims["scope"] != nil else { return }
        let bound = AddressSet(confined.addresses.compactMap { CIDRBlock($0) })
        #expect(try #require(token.addresses, "\(how)").isSubset(of: bound), "\(how)")
    }

    /// Tokens are asked for from 192.0.2.7.
    private static func confinement(_ random: inout SplitMix, now: WallTime) -> ServiceFixture.Confinement {
        let addresses: [[String]] = [
            [], [], ["192.0.2.0/24"], ["192.0.2.7", "10.0.0.0/20"], ["192.0.2.0/29", "192.0.2.8/29", "2001:db8::/32"],
        ]
        let lifetimes: [Int64?] = [nil, nil, 50, 300, 5000, 90_000]
        return ServiceFixture.Confinement(
            addresses: addresses[random.below(addresses.count)],
            end: lifetimes[random.below(lifetimes.count)].map { now.advanced(by: .seconds($0)) })
    }

    private static func lock(_ random: inout SplitMix) -> String? { random.below(2) == 0 ? nil : "rl_A" }

    private static func realm(_ random: inout SplitMix) -> String? { [nil, nil, "rl_A", "rl_B"][random.below(4)] }

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
