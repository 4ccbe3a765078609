import Core
import HTTP1
import Testing

@testable import Policy

/// What explanations and tests in the file say of routes that show a stored credential: nobody is asked, nothing kept is
/// looked at, and nothing secret is printed.
struct StoredCredentialExplanationTests {
    private static let policy = """
        {
          "listeners": [{ "address": "127.0.0.1:0" }],
          "upstreams": { "origin": { "servers": ["http://127.0.0.1:9"] } },
          "key_sets": { "issuer": { "file": "jwks.json" } },
          "authenticators": {
            "jwt": { "type": "jwt", "issuer": "https://issuer.test", "audiences": ["gateway"], "algorithms": ["HS256"],
                     "key_set": "issuer" }
          },
          "stored_credentials": {
            "alone": { "claim": "/app" },
            "kept": { "claim": "/app", "refresh": { "url": "https://app.test/refresh" } }
          },
          "routes": [
            { "name": "alone", "match": { "path": "/alone" }, "authenticate": ["jwt"], "stored_credential": "alone",
              "request_headers": { "set": {
                "X-Shown": "Key {stored_credential./apiKey}", "X-Verified": { "secret": "env:PEPPER" }, "X-User": "{subject}"
              } },
              "request_query": { "set": { "shown": "{stored_credential./apiKey}", "verified": { "secret": "env:PEPPER" } } },
              "upstream": "origin" },
            { "name": "kept", "match": { "path": "/kept" }, "authenticate": ["jwt"], "stored_credential": "kept",
              "request_headers": { "set": { "X-Shown": "{stored_credential./apiKey}" } }, "upstream": "origin" }
          ]
        }
        """

    private static func snapshot() throws -> Snapshot {
        let read = ConfigurationReader.read(policy.utf8.span, file: "gateway.json")
        let configuration = try #require(read.configuration)
        let environment = TestEnvironment(cell: Sample.cell(try Sample.keySet(Sample.key())))
        return try #require(Snapshot.compile(configuration, environment: environment).snapshot)
    }

    private static func head(_ path: String, app: String?) throws -> RequestHead {
        let claim = app.map { #","app":\#($0)"# } ?? ""
        let payload = Sample.payload.dropLast() + claim + "}"
        let token = String(decoding: Sample.token(String(payload)), as: UTF8.self)
        let text = "GET \(path) HTTP/1.1\r\nHost: api.test\r\nAuthorization: Bearer \(token)\r\n\r\n"
        var head = RequestHead()
        #expect(PolicyRehearsalTests.readHead(text.utf8.span, Bounds(), &head) == nil)
        return head
    }

    private static let good = #"{"apiKey":"brought-key","refreshToken":"r"}"#

    @Test(arguments: ["/alone", "/kept"])
    func `a trial shows what the token brings`(path: String) throws {
        let trial = Trial(try Self.snapshot())
        let outcome = trial.make(
            try Self.head(path, app: Self.good), connection: try PolicyFixture.facts("192.0.2.7"), now: Sample.now)
        guard case .forwarded = outcome else {
            Issue.record("\(outcome)")
            return
        }
        let shown = trial.forwardedFields().first { $0.name == "X-Shown" }?.value
        #expect(shown == (path == "/alone" ? "Key brought-key" : "brought-key"))
        if path == "/alone" {
            #expect(String(decoding: trial.plan.target, as: UTF8.self) == "/alone?shown=brought-key&verified=pepper")
        }
    }

    @Test(arguments: [
        ("/alone", nil, "upstream_credential_missing"), ("/alone", #"{"apiKey":5}"#, "upstream_credential_missing"),
        ("/alone", #"{"apiKey":"k","expiresIn":1}"#, "upstream_credential_missing"),
        ("/kept", "5", "upstream_credential_missing"), ("/kept", nil, nil),
    ] as [(String, String?, String?)])
    func `a trial refuses what nothing kept could mend`(path: String, app: String?, reason: String?) throws {
        let trial = Trial(try Self.snapshot())
        let outcome = trial.make(
            try Self.head(path, app: app), connection: try PolicyFixture.facts("192.0.2.7"), now: Sample.now)
        switch outcome {
        case .refused(let refusal): #expect(refusal.denial.reason == reason)
        case .forwarded:
            #expect(reason == nil)
            #expect(!trial.forwardedFields().contains { $0.name == "X-Shown" })
        case .performed, .answered, .redirected, .noConnection: Issue.record("\(outcome)")
        }
    }

    @Test func `an explanation prints neither keys nor secrets`() throws {
        let document = PolicyDocument(Self.policy.utf8.span, file: "gateway.json")
        let explainer = Explainer(try Self.snapshot(), document: try #require(document), standing: nil)
        let explanation = explainer.explain(
            .read(try Self.head("/alone", app: Self.good)), connection: try PolicyFixture.facts("192.0.2.7"),
            now: Sample.now)
        let printed = explanation.text(isColoured: false)
        #expect(printed.contains("X-Shown: …") && printed.contains("X-Verified: …") && printed.contains("X-User: alice"))
        #expect(printed.contains("/alone?shown=…&verified=…"))
        for secret in ["brought-key", "pepper", "refreshToken\":\"r"] { #expect(!printed.contains(secret)) }
    }

    @Test func `a refusal names the route's stored credential`() throws {
        let document = PolicyDocument(Self.policy.utf8.span, file: "gateway.json")
        let explainer = Explainer(try Self.snapshot(), document: try #require(document), standing: nil)
        let explanation = explainer.explain(
            .read(try Self.head("/alone", app: nil)), connection: try PolicyFixture.facts("192.0.2.7"), now: Sample.now)
        #expect(explanation.reason == "upstream_credential_missing")
        #expect(explanation.rule?.path == "routes[0].stored_credential")
    }

    @Test(arguments: [
        (#"{"apiKey":"secret-key","expiresIn":"1e9"}"#, "its lifetime is missing, or not a number of seconds above 0"),
        (#"{"apiKey":"secret key"}"#, "its key is missing, or not a text of visible ASCII characters"),
        (nil, "the token has no such claim"),
    ] as [(String?, String)])
    func `and says what is wrong with what the token brings`(app: String?, fault: String) throws {
        let document = PolicyDocument(Self.policy.utf8.span, file: "gateway.json")
        let explainer = Explainer(try Self.snapshot(), document: try #require(document), standing: nil)
        let explanation = explainer.explain(
            .read(try Self.head("/alone", app: app)), connection: try PolicyFixture.facts("192.0.2.7"), now: Sample.now)
        let printed = explanation.text(isColoured: false)
        #expect(printed.contains(fault) && !printed.contains("secret"))
    }
}
