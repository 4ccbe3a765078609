import Core
import Crypto
import Testing

@testable import Policy

/// Logged requests put to two policies.
@Suite struct PolicyReplayTests {
    static func digest(_ secret: String) -> Digest256 { Sample.cryptography.sha256(secret.utf8.span) }

    /// One route for one key, which may be replaced member by member.
    static func policy(secret: String = "one", route: String = "", limit: String = "\"burst\": 2") -> String {
        """
        {
          "listeners": [{ "address": "127.0.0.1:0" }],
          "upstreams": { "origin": { "servers": ["http://127.0.0.1:9"] } },
          "authenticators": { "keys": { "type": "api_key", "from": ["header:X-API-Key"],
            "keys": [{ "id": "ci", "sha256": "\(digest(secret).hex)" }] } },
          "limits": { "few": { "requests": 1, "per": "1m", \(limit) } },
          "routes": [{ "name": "a", "match": { "path": "/a" }, "authenticate": ["keys"], "limits": ["few"], "upstream": "origin"\(route) }]
        }
        """
    }

    static func rehearsal(_ text: String) throws -> (PolicyRehearsal, PolicyDocument) {
        let read = ConfigurationReader.read(text.utf8.span, file: "gateway.json")
        #expect(read.diagnostics.map(\.description) == [])
        let rehearsal = PolicyRehearsal.compile(
            try #require(read.configuration), environment: TestEnvironment(cell: KeySetCell(name: "issuer", isRemote: true)),
            showing: [], now: WallTime(seconds: 1_780_000_000), readHead: PolicyRehearsalTests.readHead)
        let document = PolicyDocument(text.utf8.span, file: "gateway.json")
        return (try #require(rehearsal), try #require(document))
    }

    static func replay(_ old: String, _ new: String) throws -> PolicyReplay {
        let (before, oldText) = try rehearsal(old)
        let (after, newText) = try rehearsal(new)
        return PolicyReplay(from: before, oldText, to: after, newText)
    }

    /// A request by the key, as its record tells of it.
    static func facts(reason: String? = nil) throws -> LoggedFacts {
        let client = try #require(IPAddress("192.0.2.7"))
        var facts = LoggedFacts(method: "GET", host: "api.test", path: "/a", client: client, peer: client)
        facts.authentication = "api_key"
        facts.source = "header:x-api-key"
        facts.credential = "ci"
        facts.fingerprint = digest("one").fingerprint
        facts.reason = reason
        facts.route = "a"
        facts.isLetThrough = reason == nil
        return facts
    }

    static func reason(_ outcome: PolicyReplay.Outcome) -> String? {
        switch outcome {
        case .unchanged: nil
        case .different(_, let after): after.reason ?? "let through"
        case .leftAside(let cause): cause
        }
    }

    @Test func `a key with another secret is unknown`() throws {
        let replay = try Self.replay(Self.policy(), Self.policy(secret: "two"))
        let outcome = replay.outcome(of: try Self.facts(), at: WallTime(seconds: 1_780_000_000))
        #expect(Self.reason(outcome) == "credential_unknown")
    }

    @Test func `buckets refill as the log's time goes on`() throws {
        let replay = try Self.replay(Self.policy(), Self.policy(limit: "\"burst\": 1"))
        let facts = try Self.facts()
        let reasons = [0, 1, 61, 121].map { Self.reason(replay.outcome(of: facts, at: WallTime(seconds: 1_780_000_000 + $0))) }
        #expect(reasons == [nil, "rate_limited", nil, nil])
    }

    @Test func `a request that found a bucket empty and finds it full here is left aside`() throws {
        let replay = try Self.replay(Self.policy(), Self.policy())
        let outcome = replay.outcome(of: try Self.facts(reason: "rate_limited"), at: WallTime(seconds: 1_780_000_000))
        #expect(outcome == .leftAside("what was left in buckets, or of the failure budget"))
    }

    @Test(arguments: [
        (#", "accept": ["application/json"]"#, "the header Accept"),
        (#", "realm": { "header": "X-Realm", "required": true }"#, "the realm that is named"),
        (#", "https_only": true"#, "https_required"), (#", "authorize": { "scopes": ["x"] }"#, "scope_missing"),
        (#", "authorize": { "claims": { "/x": "y" } }"#, "claim_mismatch"), (#", "mode": "shadow""#, nil),
    ] as [(String, String?)])
    func `what the log has decides, and what it has not is named`(member: String, expected: String?) throws {
        let replay = try Self.replay(Self.policy(), Self.policy(route: member))
        #expect(Self.reason(replay.outcome(of: try Self.facts(), at: WallTime(seconds: 1_780_000_000))) == expected)
    }

    @Test func `what the old policy does not answer as the log says is left aside`() throws {
        let replay = try Self.replay(Self.policy(secret: "two"), Self.policy())
        let outcome = replay.outcome(of: try Self.facts(), at: WallTime(seconds: 1_780_000_000))
        #expect(outcome == .leftAside("more than the log has: the old policy answers otherwise"))
    }

    @Test func `secrets are found by the beginning of their digests`() throws {
        let table = try #require(try Self.rehearsal(Self.policy()).0.keyAuthenticators["keys"]?.table)
        let index = FingerprintIndex(table)
        let fingerprint = Self.digest("one").fingerprint
        #expect(index.digest(fingerprint, id: nil) == Self.digest("one") && index.digest(fingerprint, id: "ci") == Self.digest("one"))
        #expect(index.digest(fingerprint, id: "another") == nil && index.digest(fingerprint ^ 1, id: nil) == nil)
        #expect(FingerprintIndex(.empty).digest(fingerprint, id: nil) == nil)
    }
}
