import Core
import Testing

@testable import Policy

struct StoredKeySetTests {
    private static func set(_ secrets: String...) -> KeySet {
        KeySet.stored(
            secrets.enumerated().map {
                KeySet.StoredKey(kid: "k\($0)", algorithm: .hs256, material: .symmetric(Array($1.utf8)))
            }, cryptography: Sample.cryptography)
    }

    private static func isGood(_ token: [UInt8], by set: KeySet) throws -> Bool {
        let rules = Sample.configuration()
        let verifier = try JWTVerifier(
            name: "own", configuration: rules, keySet: Sample.cell(set), cryptography: Sample.cryptography)
        guard case .verified = verifier.verify(token.span, now: Sample.now) else { return false }
        return true
    }

    @Test func `a token names its key, or is tried with the newest ones`() throws {
        let set = Self.set("first", "second", "third", "fourth", "fifth")
        let unnamed = #"{"alg":"HS256"}"#
        #expect(try Self.isGood(Sample.token(header: #"{"alg":"HS256","kid":"k4"}"#, secret: "fifth"), by: set))
        #expect(try !Self.isGood(Sample.token(header: #"{"alg":"HS256","kid":"k4"}"#, secret: "first"), by: set))
        #expect(try Self.isGood(Sample.token(header: unnamed, secret: "fourth"), by: set))
        #expect(try !Self.isGood(Sample.token(header: unnamed, secret: "fifth"), by: set))
        #expect(try !Self.isGood(Sample.token(header: unnamed, secret: "sixth"), by: set))
    }

    @Test(arguments: [#"{"alg":"HS256","kid":"b"}"#, #"{"alg":"HS256"}"#])
    func `a token is good in the realm whose key signed it`(header: String) throws {
        let keys = ["a", "b", "c"].map {
            KeySet.StoredKey(
                kid: $0, algorithm: .hs256, material: .symmetric(Array("secret-\($0)".utf8)), realm: $0 == "c" ? nil : "realm-\($0)")
        }
        let set = KeySet.stored(keys, cryptography: Sample.cryptography)
        let verifier = try JWTVerifier(
            name: "own", configuration: Sample.configuration(), keySet: Sample.cell(set), cryptography: Sample.cryptography)
        guard case .verified(let token) = verifier.verify(Sample.token(header: header, secret: "secret-b").span, now: Sample.now)
        else {
            Issue.record("not verified")
            return
        }
        #expect(Identity.token(token).lockedRealm == "realm-b")
        guard case .verified(let free) = verifier.verify(Sample.token(header: #"{"alg":"HS256"}"#, secret: "secret-c").span, now: Sample.now)
        else {
            Issue.record("not verified")
            return
        }
        #expect(Identity.token(free).lockedRealm == nil)
    }

    @Test func `without keys no token is good, and that is no lack of keys`() throws {
        let set = Self.set()
        #expect(set.keys.isEmpty)
        #expect(try !Self.isGood(Sample.token(), by: set))
    }

    @Test func `another key makes another set`() {
        #expect(Self.set("a").fingerprint == Self.set("a").fingerprint)
        #expect(Self.set("a").fingerprint != Self.set("b").fingerprint)
        #expect(Self.set("a", "b").fingerprint != Self.set("b", "a").fingerprint)
    }
}
