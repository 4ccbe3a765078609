import Core
import Testing

@testable import Policy

/// Which entries of a profile make the answer, and its challenges.
struct AnswerProfileTests {
    private static let key = "X-API-Key: \(PolicyFixture.key)"

    private static func answer(_ body: String? = nil, status: Int? = nil, challenge: Bool? = nil) -> AnswerConfiguration {
        var answer = AnswerConfiguration()
        answer.body = body.map(PolicyFixture.located)
        answer.status = status
        answer.challenge = challenge.map { Located($0, at: SourcePosition(line: 1, column: 1), path: "challenge") }
        return answer
    }

    private func fixture(_ change: (inout ResponseProfileConfiguration) -> Void) throws -> PolicyFixture {
        var profile = ResponseProfileConfiguration()
        change(&profile)
        return try PolicyFixture { configuration in
            configuration.routes = [PolicyFixture.route("/a", PolicyFixture.anyOf("keys", "jwt"))]
            configuration.profiles["own"] = profile
            configuration.responses = "own"
        }
    }

    private func answered(_ denial: Denial, _ fixture: PolicyFixture) -> Answered {
        var local = LocalAnswer()
        fixture.snapshot.answer(
            Refusal(denial: denial, client: nil), requestID: PolicyFixture.requestID.utf8.span, now: fixture.now, head: nil,
            into: &local)
        return Answered(local)
    }

    @Test func `an entry takes what it leaves out from kind, group, status and default in this order`() throws {
        let fixture = try fixture { profile in
            profile.fallback = Self.answer("default")
            profile.statuses[401] = Self.answer("status", status: 418)
            profile.statuses[429] = Self.answer("status")
            profile.kinds[.authentication] = Self.answer("group")
            profile.kinds[.token] = Self.answer(status: 403)
            profile.kinds[.apiKey] = Self.answer("kind")
            profile.reasons["token_expired"] = Self.answer("reason")
            profile.reasons["token_malformed"] = Self.answer(status: 400)
        }
        let expected: [(Denial, Int, String)] = [
            (.token(.expired), 403, "reason"), (.token(.malformed), 400, "group"), (.token(.revoked), 403, "group"),
            (.keyExpired, 418, "kind"), (.credentialMissing, 418, "group"), (.credentialAmbiguous, 400, "group"),
            (.tooManyFailures, 429, "group"), (.rateLimited, 429, "status"), (.token(.keySetUnavailable), 503, "default"),
            (.scopeMissing, 403, "default"),
        ]
        for (denial, status, body) in expected {
            let answer = answered(denial, fixture)
            #expect(answer.status == status, "\(denial.reason)")
            #expect(answer.body == body, "\(denial.reason)")
        }
    }

    @Test(arguments: Denial.all)
    func `no refusal of a kind escapes the kind's entry`(denial: Denial) throws {
        let fixture = try fixture { profile in
            for kind in RefusalKind.allCases { profile.kinds[kind] = Self.answer(kind.rawValue) }
            profile.statuses[denial.status] = Self.answer("status")
        }
        #expect(answered(denial, fixture).body == denial.kind.rawValue)
        let group = try self.fixture { $0.kinds[.authentication] = Self.answer("group") }
        #expect((answered(denial, group).body == "group") == (denial.kind.group == .authentication))
    }

    @Test func `what a parser found has the entries of its reason, its kind and its status`() throws {
        let fixture = try fixture { profile in
            profile.fallback = Self.answer("default")
            profile.statuses[400] = Self.answer("status")
            profile.kinds[.request] = Self.answer(status: 422)
            profile.reasons["host_missing"] = Self.answer("reason")
        }
        func answer(_ reason: StaticString, _ status: Int) -> Answered {
            answered(.malformedRequest(reason: reason, status: status), fixture)
        }
        #expect(answer("host_missing", 400).body == "reason")
        #expect(answer("host_missing", 431).body == "reason")
        #expect(answer("host_invalid", 400).body == "status")
        #expect(answer("head_too_large", 431).body == "default")
        #expect(answer("head_too_large", 431).status == 422)
    }

    @Test(
        arguments: [
            // Nothing said: with a 401, and with the errors of RFC 6750 where the status is kept.
            (nil, nil, [], 2), (nil, nil, ["Authorization: Bearer a", "Authorization: Bearer b"], 1),
            // A status that the profile chose has none, but for 401.
            (403, nil, [], 0), (403, nil, ["Authorization: Bearer x"], 0), (401, nil, ["Authorization: Bearer x"], 2),
            // What is said counts.
            (nil, false, [], 0), (401, false, [], 0), (nil, false, ["Authorization: Bearer x"], 0), (403, true, [], 2),
            (nil, true, [], 2),
        ] as [(Int?, Bool?, [String], Int)])
    func `an answer has the challenges that status and profile say`(
        status: Int?, challenge: Bool?, fields: [String], count: Int
    ) throws {
        let fixture = try fixture { $0.kinds[.authentication] = Self.answer(status: status, challenge: challenge) }
        #expect(try fixture.answer("GET /a", fields).values("WWW-Authenticate").count == count)
        let grpc = try fixture.answer("GET /a", fields + ["Content-Type: application/grpc"])
        #expect(grpc.values("WWW-Authenticate").count == count)
    }

    @Test func `no challenge is invented where no scheme is known`() throws {
        let fixture = try fixture { $0.fallback = Self.answer(challenge: true) }
        #expect(try fixture.answer("GET /nowhere").values("WWW-Authenticate") == [])
        let open = try PolicyFixture { configuration in
            configuration.routes = [PolicyFixture.route("/a") { $0.methods = ["GET"] }]
            configuration.profiles["own"] = ResponseProfileConfiguration()
            configuration.profiles["own"]?.fallback = Self.answer(challenge: true)
            configuration.responses = "own"
        }
        #expect(try open.answer("POST /a").values("WWW-Authenticate") == [])
    }
}
