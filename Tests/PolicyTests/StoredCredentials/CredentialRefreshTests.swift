import Core
import Testing

@testable import Policy

struct CredentialRefreshTests {
    private func refresh(_ change: (inout CredentialRefreshConfiguration) -> Void) throws -> CredentialRefresh {
        var configuration = CredentialRefreshConfiguration(
            url: PolicyFixture.located("https://app.test/refresh"), position: SourcePosition(line: 1, column: 1))
        change(&configuration)
        var credential = StoredCredentialConfiguration(
            claim: PolicyFixture.located("/data"), position: SourcePosition(line: 1, column: 1))
        credential.refresh = configuration
        let fixture = try PolicyFixture { policy in
            policy.storedCredentials["app"] = credential
            policy.routes = [
                PolicyFixture.route("/", PolicyFixture.anyOf("jwt")) { $0.storedCredential = PolicyFixture.located("app") }
            ]
        }
        return try #require(fixture.snapshot.routes[0].storedCredential?.refresh)
    }

    private func request(_ refresh: CredentialRefresh) throws -> (fields: [String], content: String?) {
        let rule = try StoredCredentialRuleTests.rule()
        let document = try rule.read(kept: #"{"apiKey":"k%","refreshToken":"r&=","expiresIn":5,"list":[1]}"#.utf8.span)
        let credential = UpstreamCredential(
            document: document, signIn: SignInTime(), expiresAt: nil, obtainedAt: Instant(nanoseconds: 0))
        let token = try StoredCredentialRuleTests.token(
            #"{"iss":"https://issuer.test","aud":"gateway","sub":"zoë \"z\"","exp":1800003600}"#)
        let request = refresh.request(for: credential, of: token)
        let fields = request.fields.map { "\($0.name): \(String(decoding: $0.value, as: UTF8.self))" }
        return (fields, request.content.map { String(decoding: $0, as: UTF8.self) })
    }

    private func template(_ text: String) -> CredentialRefreshConfiguration.Content { .template(PolicyFixture.located(text)) }

    @Test func `a body of JSON keeps types, escapes text and leaves out what is absent`() throws {
        let refresh = try refresh { refresh in
            refresh.content = .object([
                ("a", template("{stored_credential./refreshToken}")), ("b", template("{stored_credential./expiresIn}")),
                ("c", template("{stored_credential./list}")), ("d", template("{stored_credential./nothing}")),
                ("e", template("{subject} of {issuer}")), ("f", .list([template("{stored_credential./nothing}"), .object([])])),
                ("g", .literal(JSONNode(.bool(true), at: SourcePosition(line: 1, column: 1)))),
            ])
        }
        let sent = try request(refresh)
        #expect(sent.fields == ["Content-Type: application/json"])
        #expect(
            sent.content
                == #"{"a":"r&=","b":5,"c":[1],"e":"zoë \"z\" of https://issuer.test","f":[null,{}],"g":true}"#)
    }

    @Test func `a form is percent-encoded`() throws {
        let refresh = try refresh { refresh in
            refresh.contentType = .form
            refresh.content = .object([
                ("grant type", template("refresh_token")), ("t", template("{stored_credential./refreshToken}")),
                ("n", template("{stored_credential./nothing}")), ("s", template("{subject}")),
            ])
        }
        let sent = try request(refresh)
        #expect(sent.fields == ["Content-Type: application/x-www-form-urlencoded"])
        #expect(sent.content == "grant%20type=refresh_token&t=r%26%3D&s=zo%C3%AB%20%22z%22")
    }

    @Test func `a key stands in a field as it is, other text escaped`() throws {
        let refresh = try refresh { refresh in
            refresh.method = .get
            refresh.headers = [
                HeaderTemplate(name: "X-Key", template: PolicyFixture.located("{stored_credential./apiKey}")),
                HeaderTemplate(name: "X-User", template: PolicyFixture.located("{subject}")),
                HeaderTemplate(name: "X-None", template: PolicyFixture.located("{stored_credential./nothing}")),
            ]
        }
        let sent = try request(refresh)
        #expect(sent.fields == ["X-Key: k%", #"X-User: zo%C3%AB "z""#])
        #expect(sent.content == nil)
    }

    @Test func `a request without a body says so, unless it is a GET`() throws {
        #expect(try request(try refresh { _ in }).content?.isEmpty == true)
    }
}
