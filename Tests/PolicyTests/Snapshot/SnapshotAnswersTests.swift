import Core
import Testing

@testable import Policy

struct SnapshotAnswersTests {
    private static let key = "X-API-Key: \(PolicyFixture.key)"

    private func fixture(
        _ requirement: RouteConfiguration.Requirement = PolicyFixture.anyOf("keys", "jwt"),
        _ change: (inout Configuration) -> Void = { _ in }
    ) throws -> PolicyFixture {
        try PolicyFixture { configuration in
            configuration.routes = [PolicyFixture.route("/a", requirement)]
            change(&configuration)
        }
    }

    @Test func `a problem says what there is to say`() throws {
        let answer = try fixture().answer("GET /a")
        #expect(answer.status == 401)
        #expect(answer.values("Content-Type") == ["application/problem+json"])
        #expect(answer.values("X-Request-ID") == [PolicyFixture.requestID])
        #expect(answer.values("Cache-Control") == ["no-store"])
        #expect(answer.values("Server") == [])
        #expect(try answer.member("type") == "about:blank")
        #expect(try answer.member("title") == "Unauthorized")
        #expect(try answer.member("status") == "401")
        #expect(try answer.member("reason") == "credential_missing")
        #expect(try answer.member("request_id") == PolicyFixture.requestID)
        #expect(try answer.member("retry_after") == nil)
    }

    @Test(
        arguments: [
            ([], #"Bearer realm="portcullis""#),
            (["Authorization: Basic eDp5"], #"Bearer realm="portcullis""#),
            (
                ["Authorization: Bearer"],
                #"Bearer realm="portcullis", error="invalid_token", error_description="The credential is empty or malformed.""#
            ),
            (
                ["Authorization: Bearer x"],
                #"Bearer realm="portcullis", error="invalid_token", error_description="The token is malformed.""#
            ),
        ] as [([String], String)])
    func `a bearer challenge names an error only when something was shown`(fields: [String], challenge: String) throws {
        #expect(
            try fixture().answer("GET /a", fields).values("WWW-Authenticate") == [
                challenge, #"Key realm="portcullis""#,
            ])
    }

    @Test func `a profile's WWW-Authenticate is sent in place of the gateway's`() throws {
        let value = #"Bearer resource_metadata="https://api.test/.well-known/oauth-protected-resource""#
        var answer = AnswerConfiguration()
        answer.headers = [HeaderTemplate(name: "www-AUTHENTICATE", template: PolicyFixture.located(value))]
        for challenge in [nil, true, false] {
            answer.challenge = challenge.map { Located($0, at: SourcePosition(line: 1, column: 1), path: "test") }
            var profile = ResponseProfileConfiguration()
            profile.statuses[401] = answer
            let fixture = try fixture { configuration in
                configuration.profiles["mcp"] = profile
                configuration.responses = "mcp"
                configuration.routes[0].authorization.scopes = ["admin"]
            }
            #expect(try fixture.answer("GET /a").values("WWW-Authenticate") == [value])
            #expect(try fixture.answer("GET /a", ["Authorization: Bearer x"]).values("WWW-Authenticate") == [value])
            // No header of the profile is for this status.
            let scoped = try fixture.answer("GET /a", [Self.key]).values("WWW-Authenticate")
            #expect(scoped.count == 1 && scoped[0].contains("insufficient_scope"))
        }
    }

    @Test func `the realm of challenges is the profile's, else the file's`() throws {
        let file = try fixture { $0.challengeRealm = "acme" }
        #expect(try file.answer("GET /a").values("WWW-Authenticate") == [#"Bearer realm="acme""#, #"Key realm="acme""#])
        var profile = ResponseProfileConfiguration()
        profile.challengeRealm = "orders of acme"
        let named = try fixture { configuration in
            configuration.challengeRealm = "acme"
            configuration.profiles["orders"] = profile
            configuration.routes[0].responses = PolicyFixture.located("orders")
        }
        #expect(
            try named.answer("GET /a").values("WWW-Authenticate") == [
                #"Bearer realm="orders of acme""#, #"Key realm="orders of acme""#,
            ])
    }

    @Test func `other challenges`() throws {
        let ambiguous = try fixture().answer("GET /a", ["Authorization: Bearer a", "Authorization: Bearer b"])
        #expect(ambiguous.status == 400)
        #expect(ambiguous.values("WWW-Authenticate").first?.contains(#"error="invalid_request""#) == true)
        let scoped = try fixture { $0.routes[0].authorization.scopes = ["admin", "super"] }.answer("GET /a", [Self.key])
        #expect(scoped.status == 403)
        #expect(scoped.values("WWW-Authenticate").first?.contains(#"error="insufficient_scope""#) == true)
        #expect(scoped.values("WWW-Authenticate").first?.hasSuffix(#"scope="admin super""#) == true)
        // Whom the route let in has its scopes; what an action misses is another one.
        let granted = try fixture { $0.routes[0].authorization.scopes = ["read"] }
        let refusal = Refusal(denial: .scopeMissing, after: try granted.forwarded("GET /a", [Self.key]).grant)
        var lacking = LocalAnswer()
        granted.snapshot.answer(
            refusal, requestID: PolicyFixture.requestID.utf8.span, now: granted.now, head: nil, into: &lacking)
        let challenge = try #require(Answered(lacking).values("WWW-Authenticate").first)
        #expect(challenge.contains(#"error="insufficient_scope""#) && !challenge.contains("scope=\""))
        let keysOnly = try fixture(PolicyFixture.anyOf("keys")) { configuration in
            configuration.authenticators["keys"] = PolicyFixture.authenticator(
                "keys",
                .apiKey(
                    APIKeyAuthenticatorConfiguration(
                        sources: [.header("X-API-Key")], pepper: nil,
                        keys: [PolicyFixture.record("ci", secret: "x")], keysFile: nil)))
        }
        #expect(try keysOnly.answer("GET /a").values("WWW-Authenticate") == [#"Key realm="portcullis""#])
        #expect(try fixture().answer("GET /nowhere").values("WWW-Authenticate") == [])
    }

    @Test func `a refusal by a limit names the same wait everywhere`() throws {
        let fixture = try fixture { configuration in
            configuration.limits["l"] = LimitConfiguration(
                requests: 1, per: .seconds(60), burst: 2, by: [.identity], position: SourcePosition(line: 1, column: 1))
            configuration.routes[0].limits = [PolicyFixture.located("l")]
            configuration.rateHeaders.families = [.x, .ietf]
        }
        fixture.now = ClockReading(
            instant: Instant(nanoseconds: 5), wall: WallTime(nanoseconds: 1_800_000_000_400_000_000))
        let first = try fixture.forwarded("GET /a", [Self.key])
        #expect(first.grant.rate?.remaining == 1)
        _ = try fixture.forwarded("GET /a", [Self.key])
        let answer = try fixture.answer("GET /a", [Self.key])
        #expect(answer.status == 429)
        let seconds = try #require(answer.values("Retry-After").first.flatMap { Int($0) })
        #expect(answer.values("Retry-After").count == 1)
        #expect(try answer.member("retry_after") == "\(seconds)")
        #expect(answer.values("X-RateLimit-Limit") == ["2"])
        #expect(answer.values("X-RateLimit-Remaining") == ["0"])
        // The clock stands at four tenths of a second: 60 s later it is past the 60th second.
        #expect(seconds == 60 && answer.values("X-RateLimit-Reset") == ["1800000061"])
        #expect(answer.values("RateLimit").first?.hasSuffix("t=\(seconds)") == true)
    }

    @Test func `a method that is not allowed is told which are`() throws {
        let answer = try fixture { $0.routes[0].methods = ["GET", "PUT"] }.answer("DELETE /a")
        #expect(answer.status == 405)
        #expect(answer.values("Allow") == ["GET, HEAD, PUT"])
    }

    @Test func `OPTIONS that ends here`() throws {
        let fixture = try fixture { $0.routes[0].methods = ["GET", "OPTIONS"] }
        let resource = try fixture.answer("OPTIONS /a", ["Max-Forwards: 0"])
        #expect(resource.status == 200)
        #expect(resource.body == "")
        #expect(resource.values("Allow") == ["GET, HEAD, OPTIONS"])
        #expect(try fixture.answer("OPTIONS *").values("X-Request-ID") == [PolicyFixture.requestID])
    }

    private func profile(_ answers: [String: (Int?, String?)], contentType: String? = nil)
        -> ResponseProfileConfiguration
    {
        var profile = ResponseProfileConfiguration()
        for (reason, (status, body)) in answers {
            var answer = AnswerConfiguration()
            answer.status = status
            answer.body = body.map(PolicyFixture.located)
            answer.contentType = contentType
            if reason == "default" { profile.fallback = answer } else { profile.reasons[reason] = answer }
        }
        return profile
    }

    @Test func `a profile of the file's own`() throws {
        let fixture = try fixture { configuration in
            configuration.profiles["own"] = profile([
                "default": (nil, #"{"detail": "{title}: {detail}", "status": {status}, "retry_after": {retry_after}}"#),
                "credential_missing": (403, #"{"code":403,"invalid_authentication":true,"id":{request_id}}"#),
                "credential_unknown": (nil, nil),
            ])
            configuration.routes[0].responses = PolicyFixture.located("own")
        }
        let missing = try fixture.answer("GET /a")
        #expect(missing.status == 403)
        #expect(missing.body == #"{"code":403,"invalid_authentication":true,"id":"\#(PolicyFixture.requestID)"}"#)
        #expect(missing.values("Content-Type") == ["application/json"])
        let malformed = try fixture.answer("GET /a", ["X-API-Key:"])
        #expect(malformed.status == 401)
        #expect(
            malformed.body
                == #"{"detail": "Unauthorized: The credential is empty or malformed.", "status": 401, "retry_after": null}"#
        )
        #expect(malformed.values("WWW-Authenticate").count == 2)
        #expect(try fixture.answer("GET /a", ["X-API-Key: nobody"]).body.hasPrefix(#"{"detail""#))
        #expect(try fixture.answer("GET /nowhere").values("Content-Type") == ["application/problem+json"])
    }

    @Test func `answers by the status a reason has of itself`() throws {
        let fixture = try fixture { configuration in
            var profile = profile([
                "default": (nil, #"{"d":{status}}"#), "credential_missing": (403, nil), "credential_unknown": (nil, "{}"),
            ])
            var unauthorized = AnswerConfiguration()
            unauthorized.body = PolicyFixture.located(#"{"u":{status}}"#)
            profile.statuses[401] = unauthorized
            configuration.profiles["own"] = profile
            configuration.profiles["own"]?.statuses[404] = AnswerConfiguration()
            configuration.responses = "own"
        }
        let malformed = try fixture.answer("GET /a", ["X-API-Key:"])
        #expect(malformed.status == 401)
        #expect(malformed.body == #"{"u":401}"#)
        // A reason's entry takes what it leaves out from its status.
        let missing = try fixture.answer("GET /a")
        #expect(missing.status == 403)
        #expect(missing.body == #"{"u":403}"#)
        #expect(try fixture.answer("GET /a", ["X-API-Key: nobody"]).body == "{}")
        #expect(try fixture.answer("GET /nowhere").body == #"{"d":404}"#)
    }

    @Test func `values in a JSON body are escaped`() {
        let values = AnswerValues(reason: "r", status: 400, title: "t", detail: #"a "quoted" \ thing"#)
        var json: [UInt8] = []
        AnswerBody([.literal("{\"d\":\""), .detail, .literal("\",\"e\":"), .detail, .literal("}")], .json)
            .append(values, requestID: "x".utf8.span, to: &json)
        #expect(String(decoding: json, as: UTF8.self) == #"{"d":"a \"quoted\" \\ thing","e":"a \"quoted\" \\ thing"}"#)
        var text: [UInt8] = []
        AnswerBody([.detail], .text).append(values, requestID: "x".utf8.span, to: &text)
        #expect(String(decoding: text, as: UTF8.self) == #"a "quoted" \ thing"#)
    }

    @Test func `an answer before there is a head`() throws {
        var answer = LocalAnswer()
        let refusal = Refusal(denial: .malformedRequest(reason: "host_missing", status: 400), client: nil)
        try fixture().snapshot.answer(
            refusal, requestID: PolicyFixture.requestID.utf8.span, now: Sample.now, head: nil, into: &answer)
        let answered = Answered(answer)
        #expect(answered.status == 400)
        #expect(try answered.member("reason") == "host_missing")
        #expect(answered.values("X-Request-ID") == [PolicyFixture.requestID])
    }

    // MARK: Responses of upstreams

    /// The fields of a response after it was completed: the upstream's that are left, then ours.
    private func completed(_ fields: [(String, String)], _ fixture: PolicyFixture) throws -> [String] {
        let grant = try fixture.forwarded("GET /a", [Self.key]).grant
        var head = ResponseHead()
        for (name, value) in fields {
            let start = head.bytes.count
            head.bytes += Array("\(name)\(value)".utf8)
            head.fields.append(
                FieldLine(
                    name: ByteRange(start: start, count: name.utf8.count),
                    value: ByteRange(start: start + name.utf8.count, count: value.utf8.count),
                    known: KnownField.named(name.utf8.span)))
        }
        var lines = HeaderLines()
        fixture.snapshot.completeResponse(
            &head, grant: grant, requestID: PolicyFixture.requestID.utf8.span, now: fixture.now, into: &lines)
        let kept = head.fields.filter { !$0.isDropped }.map {
            String(decoding: head.bytes[$0.name.range], as: UTF8.self)
        }
        return kept + texts(of: lines)
    }

    private static let upstreamFields = [
        ("X-RateLimit-Limit", "9"), ("RateLimit", "x"), ("Server", "secret/1"), ("X-Request-ID", "u"), ("ETag", "e"),
        ("X-Powered-By", "p"), ("Retry-After", "3"),
    ]

    @Test func `an upstream's response is made the client's`() throws {
        let fixture = try fixture { configuration in
            configuration.limits["l"] = LimitConfiguration(
                requests: 1, per: .seconds(60), burst: 2, by: [.identity], position: SourcePosition(line: 1, column: 1))
            configuration.routes[0].limits = [PolicyFixture.located("l")]
            configuration.routes[0].removedResponseHeaders = ["X-Powered-By"]
            configuration.routes[0].setResponseHeaders = [
                HeaderTemplate(name: "X-Served-To", template: PolicyFixture.located("{subject}"))
            ]
        }
        #expect(
            try completed(Self.upstreamFields, fixture) == [
                "ETag", "Retry-After", "X-Request-ID: \(PolicyFixture.requestID)", "X-RateLimit-Limit: 2",
                "X-RateLimit-Remaining: 1", "X-RateLimit-Reset: 1800000060", "X-Served-To: ci@acme",
            ])
    }

    @Test func `what the upstream says of rate limits may be kept`() throws {
        let fixture = try fixture { $0.rateHeaders.keepsUpstream = true }
        let lines = try completed(Self.upstreamFields, fixture)
        #expect(lines.prefix(2) == ["X-RateLimit-Limit", "RateLimit"])
        #expect(!lines.contains("Server"))
    }
}
