import Core
import Testing

@testable import Policy

struct TokenCacheTests {
    private let key: CountingKey
    private let cell: KeySetCell
    private let table: IssuerTable
    private let cache = TokenCache(seed: HashSeed(1, 2))

    init() throws {
        key = try CountingKey()
        cell = Sample.cell(key.keySet(), isRemote: true)
        table = try IssuerTable([Sample.verifier(cell)])
    }

    private func judge(_ token: [UInt8], at seconds: Int64 = 1_800_000_000, with other: IssuerTable? = nil)
        -> TokenVerdict
    {
        (other ?? table).verify(token.span, now: Sample.clock(seconds), cache: cache)
    }

    private func payload(_ index: Int) -> String {
        "{\"iss\":\"https://issuer.test\",\"aud\":\"gateway\",\"exp\":1800000100,\"n\":\(index)}"
    }

    @Test func `a token seen before costs no signature check`() throws {
        let first = try #require(judge(Sample.token()).token)
        for _ in 0..<100 { #expect(judge(Sample.token()).token === first) }
        #expect(key.count == 1)
        #expect(cache.hits == 100)
        #expect(cache.misses == 1)
    }

    @Test func `a flood of one bad token costs one signature check`() {
        let token = Sample.token(secret: "another secret of 32 bytes, or so")
        for _ in 0..<1000 { #expect(judge(token).fault == .signatureInvalid) }
        #expect(key.count == 1)
        #expect(cache.refusedHits == 999)
    }

    @Test func `a remembered token dies with its time`() {
        #expect(judge(Sample.token()).token != nil)
        #expect(judge(Sample.token(), at: 1_800_000_099).token != nil)
        #expect(judge(Sample.token(), at: 1_800_000_100).fault == .expired)
    }

    @Test func `a remembered token is not good when the clock goes back before its time`() {
        #expect(judge(Sample.token()).token != nil)
        #expect(judge(Sample.token(), at: 1_799_999_989).fault == .notYetValid)
    }

    @Test func `a refusal is forgotten after ten seconds`() {
        let token = Sample.token(secret: "another secret of 32 bytes, or so")
        #expect(judge(token, at: 1_800_000_000).fault == .signatureInvalid)
        #expect(judge(token, at: 1_800_000_009).fault == .signatureInvalid)
        #expect(key.count == 1)
        #expect(judge(token, at: 1_800_000_010).fault == .signatureInvalid)
        #expect(key.count == 2)
    }

    @Test func `what time or a fetch can mend is not remembered`() throws {
        let early = Sample.token(#"{"iss":"https://issuer.test","aud":"gateway","exp":1800000100,"nbf":1800000005}"#)
        #expect(judge(early, at: 1_800_000_004).fault == .notYetValid)
        #expect(judge(early, at: 1_800_000_005).token != nil)
        let unknown = Sample.token(header: #"{"alg":"HS256","kid":"later"}"#)
        #expect(judge(unknown).isUnknownKey)
        #expect(judge(unknown).isUnknownKey)
    }

    @Test func `a removed key revokes remembered tokens at once`() throws {
        #expect(judge(Sample.token()).token != nil)
        cell.install(try Sample.keySet(Sample.key(kid: "new")), now: Sample.now, freshFor: .seconds(600))
        #expect(judge(Sample.token()).fault == .keyUnknown)
    }

    @Test func `a new key set also ends refusals`() throws {
        let secret = "another secret of 32 bytes, or so"
        let token = Sample.token(secret: secret)
        #expect(judge(token).fault == .signatureInvalid)
        cell.install(try Sample.keySet(Sample.key(secret: secret)), now: Sample.now, freshFor: .seconds(600))
        #expect(judge(token).token != nil)
    }

    @Test func `remembered tokens end when the keys are too old to be trusted`() {
        let payload = #"{"iss":"https://issuer.test","aud":"gateway","exp":4102444800}"#
        #expect(judge(Sample.token(payload), at: 1_800_004_199).token != nil)
        // Fresh for 600 s, then used for 3600 s more.
        #expect(judge(Sample.token(payload), at: 1_800_004_200).fault == .keySetUnavailable)
    }

    @Test func `what one policy verified is nothing to another`() throws {
        #expect(judge(Sample.token()).token != nil)
        let stricter = try IssuerTable([Sample.verifier(cell) { $0.audiences = ["another"] }])
        #expect(judge(Sample.token(), with: stricter).fault == .audienceWrong)
        #expect(judge(Sample.token()).token != nil)
        #expect(judge(Sample.token(), with: stricter).fault == .audienceWrong)
        #expect(key.count == 2)
    }

    @Test func `a token one byte off a remembered one is not taken for it`() {
        let token = Sample.token()
        #expect(judge(token).token != nil)
        for index in token.indices {
            var changed = token
            changed[index] ^= 1
            #expect(judge(changed).token == nil)
        }
        #expect(judge(Array(token.dropLast())).token == nil)
        #expect(judge(token + [0x41]).token == nil)
    }

    @Test func `the cache is bounded, and older tokens make room`() throws {
        let small = TokenCache(seed: HashSeed(3, 4), verifiedLimit: 16, refusedLimit: 16)
        let tokens = (0..<200).map { Sample.token(payload($0)) }
        for token in tokens {
            for _ in 0..<2 { #expect(table.verify(token.span, now: Sample.now, cache: small).token != nil) }
        }
        // The second time each was remembered.
        #expect(key.count == 200)
        for token in tokens { #expect(table.verify(token.span, now: Sample.now, cache: small).token != nil) }
        #expect(key.count >= 200 + 184)
        let last = tokens[199]
        #expect(table.verify(last.span, now: Sample.now, cache: small).token != nil)
    }

    @Test func `refusals are bounded as well`() {
        let small = TokenCache(seed: HashSeed(3, 4), verifiedLimit: 16, refusedLimit: 16)
        for index in 0..<200 {
            let token = Sample.token(payload(index), secret: "another secret of 32 bytes, or so")
            for _ in 0..<2 {
                #expect(table.verify(token.span, now: Sample.now, cache: small).fault == .signatureInvalid)
            }
        }
        #expect(key.count == 200)
        #expect(small.refusedHits == 200)
    }

    @Test func `everything can be forgotten`() {
        #expect(judge(Sample.token()).token != nil)
        cache.removeAll()
        #expect(judge(Sample.token()).token != nil)
        #expect(key.count == 2)
    }
}
