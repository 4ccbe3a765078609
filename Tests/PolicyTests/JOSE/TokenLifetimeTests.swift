import Core
import Testing

@testable import Policy

struct TokenLifetimeTests {
    /// The moment of judgement, seconds since 1970.
    private static let now: Int64 = 1_000_000

    private func fault(
        _ claims: String, now: Int64 = now, _ change: (inout JWTAuthenticatorConfiguration) -> Void = { _ in }
    ) throws -> TokenFault? {
        let node = try JSONNode.parse(claims.utf8.span)
        do throws(TokenFault) {
            _ = try TokenLifetime(node, rules: Sample.configuration(change), now: WallTime(seconds: now))
            return nil
        } catch {
            return error
        }
    }

    @Test(
        arguments: [
            (#"{"exp":1000001}"#, nil), (#"{"exp":1000000}"#, TokenFault.expired), (#"{"exp":1000000.5}"#, nil),
            (#"{"exp":999999.999}"#, .expired), (#"{"exp":1.000001e6}"#, nil), (#"{"exp":-1}"#, .expired),
            (#"{"exp":0}"#, .expired), (#"{"exp":-0.0}"#, .expired), (#"{"exp":1e300}"#, nil), (#"{"exp":1e999}"#, .malformed),
            (#"{"exp":1e400}"#, .malformed), (#"{"exp":-1e400}"#, .malformed), (#"{"exp":1e308}"#, nil), (#"{"exp":1e-400}"#, .expired),
            (#"{"exp":-1e300}"#, .expired), (#"{"exp":9223372036854775807}"#, nil),
            (#"{"exp":9223372036854775808}"#, nil),
            (#"{"exp":-9223372036854775808}"#, .expired), (#"{"exp":9.2e9}"#, nil), (#"{"exp":253402300799}"#, nil),
            (#"{"exp":"1000001"}"#, .malformed), (#"{"exp":null}"#, .claimMissing), (#"{"exp":true}"#, .malformed),
            (#"{"exp":[1000001]}"#, .malformed), (#"{"exp":{}}"#, .malformed), (#"{}"#, .claimMissing),
        ] as [(String, TokenFault?)])
    func `expiry`(claims: String, fault: TokenFault?) throws {
        #expect(try self.fault(claims) == fault)
    }

    @Test(arguments: ["nbf", "iat"])
    func `a token is not good before its time`(name: String) throws {
        #expect(try fault("{\"exp\":2000000,\"\(name)\":1000000}") == nil)
        #expect(try fault("{\"exp\":2000000,\"\(name)\":1000000.001}") == .notYetValid)
        #expect(try fault("{\"exp\":2000000,\"\(name)\":1000001}") == .notYetValid)
        #expect(try fault("{\"exp\":2000000,\"\(name)\":1e300}") == .notYetValid)
        #expect(try fault("{\"exp\":2000000,\"\(name)\":-1e300}") == nil)
        #expect(try fault("{\"exp\":2000000,\"\(name)\":1e400}") == .malformed)
        #expect(try fault("{\"exp\":2000000,\"\(name)\":-1e400}") == .malformed)
        #expect(try fault("{\"exp\":2000000,\"\(name)\":\"0\"}") == .malformed)
        #expect(try fault("{\"exp\":2000000,\"\(name)\":null}") == nil)
        #expect(try fault("{\"exp\":2000000,\"\(name)\":1000030}") { $0.leeway = .seconds(30) } == nil)
        #expect(try fault("{\"exp\":2000000,\"\(name)\":1000031}") { $0.leeway = .seconds(30) } == .notYetValid)
    }

    @Test func `leeway lengthens the life to its last nanosecond`() throws {
        #expect(try fault(#"{"exp":1000000}"#, now: 1_000_029) { $0.leeway = .seconds(30) } == nil)
        #expect(try fault(#"{"exp":1000000}"#, now: 1_000_030) { $0.leeway = .seconds(30) } == .expired)
    }

    @Test func `a leeway below zero counts as none, and a huge one does not overflow`() throws {
        #expect(try fault(#"{"exp":1000001}"#) { $0.leeway = -10_000_000_000 } == nil)
        #expect(try fault(#"{"exp":1e300,"nbf":-1e300}"#) { $0.leeway = .max } == nil)
        #expect(try fault(#"{"exp":-1e300}"#) { $0.leeway = .max } == .expired)
    }

    @Test func `expiry may be left out where the authenticator says so`() throws {
        #expect(try fault("{}") { $0.requiresExpiry = false } == nil)
        #expect(try fault(#"{"exp":1}"#) { $0.requiresExpiry = false } == .expired)
        #expect(try fault(#"{"exp":null}"#) { $0.requiresExpiry = false } == nil)
    }

    @Test(
        arguments: [
            (#"{"iat":999990,"exp":1000090}"#, nil), (#"{"iat":999990,"exp":1000091}"#, TokenFault.lifetimeTooLong),
            (#"{"exp":1000100}"#, nil), (#"{"exp":1000101}"#, .lifetimeTooLong),
            (#"{"iat":999990,"exp":1e300}"#, .lifetimeTooLong),
            (#"{"iat":-1e300,"exp":1e300}"#, .lifetimeTooLong), (#"{"iat":999990}"#, .lifetimeTooLong),
            (#"{}"#, .lifetimeTooLong),
        ] as [(String, TokenFault?)])
    func `the longest life counts from issue, else from now`(claims: String, fault: TokenFault?) throws {
        let found = try self.fault(claims) { configuration in
            configuration.maxLifetime = .seconds(100)
            configuration.requiresExpiry = false
        }
        #expect(found == fault)
    }
}
