import Core
import Crypto
import Foundation
import HTTP1
import Testing

@testable import Policy

/// Explanations of requests under the policy of `PolicyRehearsalTests`.
@Suite struct ExplainerTests {
    static let key = "acme_a key of ci"

    /// A policy with one key whose secret is known here.
    static func policy() -> String {
        let digest = Sample.cryptography.sha256(key.utf8.span).hex
        return """
            {
              "listeners": [{ "address": "127.0.0.1:0" }],
              "trusted_proxies": ["10.0.0.0/8"],
              "upstreams": { "origin": { "servers": ["http://127.0.0.1:9"] } },
              "key_sets": { "issuer": { "file": "jwks.json" } },
              "authenticators": {
                "keys": { "type": "api_key", "from": ["header:X-API-Key", "bearer:acme_", "query:api_key"], "allow_query": true,
                          "keys": [{ "id": "ci", "subject": "ci@acme", "scopes": ["read"], "allow_ips": ["192.0.2.0/24"],
                                     "sha256": "\(digest)" }] },
                "jwt": { "type": "jwt", "issuer": "https://issuer.test", "audiences": ["gateway"],
                         "algorithms": ["HS256"], "key_set": "issuer" }
              },
              "limits": { "few": { "requests": 3, "per": "1m", "burst": 3 } },
              "routes": [
                { "name": "read", "match": { "path": "/a/{org}", "methods": ["GET"] }, "authenticate": ["keys", "jwt"],
                  "authorize": { "scopes": ["read"], "deny_ips": ["192.0.2.66/32"] },
                  "request_headers": { "set": { "X-Org": "{path.org}" } }, "upstream": "origin" },
                { "name": "write", "match": { "path": "/a/{org}", "methods": ["POST"] }, "authenticate": ["keys"],
                  "authorize": { "scopes": ["read", "write"] }, "upstream": "origin" },
                { "name": "few", "match": { "path": "/few" }, "authenticate": ["keys", "jwt"], "limits": ["few"],
                  "upstream": "origin" },
                { "name": "own", "match": { "path": "/own/{org}" }, "authenticate": ["jwt"],
                  "authorize": { "claims": { "/sub": "{path.org}" } }, "upstream": "origin" },
                { "name": "secure", "match": { "path": "/secure" }, "authenticate": "none", "https_only": true,
                  "upstream": "origin" },
                { "name": "shut", "match": { "path": "/shut/**" }, "authenticate": "none", "action": { "not_found": true } },
                { "name": "open", "match": { "path": "/open/**", "hosts": ["*.open.test"] }, "authenticate": "none",
                  "upstream": "origin" }
              ]
            }
            """
    }

    static let snapshot: Snapshot? = {
        let read = ConfigurationReader.read(policy().utf8.span, file: "gateway.json")
        guard let configuration = read.configuration, let keys = try? Sample.keySet(Sample.key()) else { return nil }
        return Snapshot.compile(configuration, environment: TestEnvironment(cell: Sample.cell(keys))).snapshot
    }()

    static func explain(
        _ head: String, from client: String = "192.0.2.7", standing: Explainer.Standing? = nil
    ) throws -> Explanation {
        let document = PolicyDocument(policy().utf8.span, file: "gateway.json")
        let explainer = Explainer(try #require(snapshot), document: try #require(document), standing: standing)
        let text = head.split(separator: "\n").joined(separator: "\r\n") + "\r\n\r\n"
        var read = RequestHead()
        let denial = PolicyRehearsalTests.readHead(Array(text.utf8).span, Bounds(), &read)
        return explainer.explain(
            denial.map(Explainer.Request.malformed) ?? .read(read), connection: try PolicyFixture.facts(client),
            now: Sample.now)
    }

    static let token = String(decoding: Sample.token(), as: UTF8.self)
    static let requests: [(name: String, head: String)] = [
        ("let through by a key", "GET /a/x?api_key=\(key.replacing(" ", with: "%20"))&b=1 HTTP/1.1\nHost: api.test\nCookie: a=b"),
        ("scope missing", "POST /a/x HTTP/1.1\nHost: api.test\nX-API-Key: \(key)"),
        ("no credential", "GET /a/x HTTP/1.1\nHost: api.test"),
        ("unknown key", "GET /few HTTP/1.1\nHost: api.test\nX-API-Key: something"),
        ("no route", "GET /a/x/y HTTP/1.1\nHost: api.test"),
        ("a route that answers nothing", "GET /shut/x HTTP/1.1\nHost: api.test\nX-API-Key: something"),
        ("wrong method", "DELETE /a/x HTTP/1.1\nHost: api.test"),
        ("wrong host", "GET /open/x HTTP/1.1\nHost: shut.test"),
        ("bad path", "GET /a/../b HTTP/1.1\nHost: api.test"),
        ("no request", "GET /a/x HTTP/1.1"),
        ("in clear", "GET /secure HTTP/1.1\nHost: api.test"),
        ("limited", "GET /few HTTP/1.1\nHost: api.test\nX-API-Key: \(key)"),
        ("claim mismatch", "GET /own/bob HTTP/1.1\nHost: api.test\nAuthorization: Bearer \(token)"),
        ("let through by a token", "GET /own/alice HTTP/1.1\nHost: api.test\nAuthorization: Bearer \(token)"),
        ("forged token", "GET /own/alice HTTP/1.1\nHost: api.test\nAuthorization: Bearer \(token.dropLast(4))AAAA"),
        ("gateway itself", "OPTIONS * HTTP/1.1\nHost: api.test"),
    ]

    /// Where the printed forms are kept. To renew them: look at each difference first.
    static let goldenFile = URL(filePath: #filePath).appending(path: "../../../Vectors/explanations/printed.golden")
        .standardizedFileURL

    @Test func `explanations are printed as the golden file says`() throws {
        let printed = try Self.requests.map { request in
            "### \(request.name)\n\(try Self.explain(request.head).text(isColoured: false))\n"
        }.joined()
        let golden = try? String(contentsOf: Self.goldenFile, encoding: .utf8)
        if golden != printed { try printed.write(to: Self.goldenFile.appendingPathExtension("new"), atomically: true, encoding: .utf8) }
        #expect(golden == printed)
    }

    /// Of a policy that says nothing to pages of other origins.
    private static let steps = ExplanationStep.allCases.filter { $0 != .cors }

    @Test(arguments: requests)
    func `the verdict is the decision's and the steps agree with it`(name: String, head: String) throws {
        let explanation = try Self.explain(head)
        #expect(explanation.steps.map(\.kind) == Self.steps)
        let failed = explanation.steps.filter { $0.verdict == .failed }
        #expect((explanation.outcome == .refused) == (failed.count == 1))
        if let place = explanation.steps.firstIndex(where: { $0.verdict == .failed }) {
            #expect(explanation.steps[..<place].allSatisfy { $0.verdict == .passed })
            #expect(explanation.steps[(place + 1)...].allSatisfy { $0.verdict == .notReached && $0.checks.isEmpty })
            #expect(failed.first?.checks.contains { $0.verdict == .failed } == true)
            let denial = Denial.all.first { $0.reason == explanation.reason }
            #expect(denial == nil || denial?.step == failed.first?.kind)
        }
        for step in explanation.steps where step.verdict == .passed {
            #expect(!step.checks.contains { $0.verdict == .failed })
        }
    }

    @Test(arguments: requests)
    func `an explanation is one JSON object and no secret is in it`(name: String, head: String) throws {
        let explanation = try Self.explain(head)
        var out: [UInt8] = []
        explanation.append(json: &out)
        let node = try JSONNode.parse(out.span)
        #expect(node["steps"]?.elements.count == Self.steps.count)
        let all = String(decoding: out, as: UTF8.self) + explanation.text(isColoured: true)
        for secret in [Self.key, Self.key.replacing(" ", with: "%20"), Self.token, "something"] {
            #expect(!all.contains(secret))
        }
    }

    @Test func `what a gateway has counted is looked at and not changed`() throws {
        let snapshot = try #require(Self.snapshot)
        let seed = HashSeed(8, 9)
        let buckets = BucketTable(bucketLimit: 1000, seed: seed)
        let failures = FailureBudget(snapshot.configuration.failureBudget, seed: seed)
        let memory = DecisionMemory(buckets: buckets, failureBudget: failures, directory: DirectoryCell(), seed: seed)
        let standing = Explainer.Standing(buckets: buckets, failures: failures)
        let head = "GET /few HTTP/1.1\nHost: api.test\nX-API-Key: \(Self.key)"
        for taken in 0..<3 {
            for _ in 0..<3 {
                let explanation = try Self.explain(head, standing: standing)
                let limits = explanation.steps.first { $0.kind == .limits }
                #expect(limits?.checks.map(\.text) == ["few (3 at once): \(3 - taken) left before, \(2 - taken) after"])
            }
            var real = try PolicyFixture.head("GET /few", ["X-API-Key: \(Self.key)"])
            guard case .forward = snapshot.decide(
                &real, connection: try PolicyFixture.facts("192.0.2.7"), now: Sample.now, memory: memory)
            else {
                Issue.record("refused")
                return
            }
        }
        #expect(try Self.explain(head, standing: standing).reason == "rate_limited")
        #expect(try Self.explain(head).outcome == .forwarded)
        for _ in 0..<100 { failures.recordFailure(try #require(IPAddress("192.0.2.7")), now: Sample.now.instant) }
        let guess = "GET /few HTTP/1.1\nHost: api.test\nX-API-Key: something"
        #expect(try Self.explain(guess, standing: standing).reason == "too_many_failures")
        // The gateway has accepted this one before, and goes on to its limits.
        let known = try Self.explain(head, standing: standing)
        #expect(known.reason == "rate_limited")
        let checks = known.steps.first { $0.kind == .failureBudget }?.checks.map(\.text) ?? []
        #expect(checks.contains { $0.contains("was accepted before") })
    }

    @Test func `a client behind a trusted proxy is told of`() throws {
        let explanation = try Self.explain(
            "GET /a/x HTTP/1.1\nHost: api.test\nX-API-Key: \(Self.key)\nX-Forwarded-For: 192.0.2.66", from: "10.1.1.1")
        #expect(explanation.reason == "address_not_allowed")
        #expect(explanation.rule?.path == "routes[0].authorize.deny_ips")
        #expect(explanation.steps.first { $0.kind == .client }?.checks.first?.rule?.path == "trusted_proxies")
    }

    /// Requests put together at random from parts that matter to the policy.
    @Test func `random requests come to what the decision says`() throws {
        let snapshot = try #require(Self.snapshot)
        var random = SplitMix(state: 20_261_121)
        func pick<T>(_ values: [T]) -> T { values[Int(random.next() % UInt64(values.count))] }
        for _ in 0..<300 {
            let target = pick(["/a/x", "/few", "/own/alice", "/own/bob", "/secure", "/open/x", "/none", "/a//x", "/a/%2e"])
            let credential = pick(["", "X-API-Key: \(Self.key)", "X-API-Key: bad", "Authorization: Bearer \(Self.token)", "Authorization: Basic x"])
            let client = pick(["192.0.2.7", "192.0.2.66", "198.51.100.1", "10.0.0.1"])
            let host = pick(["api.test", "x.open.test"])
            let text = "\(pick(["GET", "POST", "PUT"])) \(target) HTTP/1.1\nHost: \(host)" + (credential.isEmpty ? "" : "\n" + credential)
            let explanation = try Self.explain(text, from: client)
            var head = RequestHead()
            _ = PolicyRehearsalTests.readHead(
                Array((text.split(separator: "\n").joined(separator: "\r\n") + "\r\n\r\n").utf8).span, Bounds(), &head)
            let fresh = Trial(snapshot)
            switch fresh.make(head, connection: try PolicyFixture.facts(client), now: Sample.now) {
            case .forwarded(let grant):
                #expect(explanation.outcome == .forwarded && explanation.route == grant.route.name)
            case .refused(let refusal):
                #expect(explanation.outcome == .refused && explanation.reason == refusal.denial.reason)
                #expect(explanation.status == fresh.answer.status && explanation.route == refusal.route?.name)
            case .performed, .answered, .redirected, .noConnection: Issue.record("\(text)")
            }
        }
    }
}
