import Core
import Testing

@testable import Policy

/// Refusals of requests that say they are gRPC.
struct GRPCAnswerTests {
    private func answer(_ type: String, _ change: (inout Configuration) -> Void = { _ in }) throws -> Answered {
        try PolicyFixture { configuration in
            configuration.routes = [PolicyFixture.route("/a", PolicyFixture.anyOf("keys"))]
            change(&configuration)
        }.answer("POST /a", ["Content-Type: \(type)", "Content-Length: 0"])
    }

    @Test(
        arguments: [
            ("application/grpc", "application/grpc"), ("application/grpc+proto", "application/grpc+proto"),
            ("Application/GRPC; charset=x", "Application/GRPC"), ("application/grpc-web+proto", "application/grpc-web+proto"),
            ("application/grpc-web-text", "application/grpc-web-text"),
        ])
    func `a gRPC request is refused with a status in the head`(type: String, answered: String) throws {
        let answer = try answer(type)
        #expect(answer.status == 200)
        #expect(answer.body.isEmpty)
        #expect(answer.values("Content-Type") == [answered])
        #expect(answer.values("grpc-status") == ["16"])
        #expect(answer.values("grpc-message") == ["The request carries no credential. (credential_missing)"])
        #expect(answer.values("X-Request-ID") == [PolicyFixture.requestID])
        #expect(answer.values("WWW-Authenticate").count == 2)
    }

    @Test(
        arguments: [
            "application/json", "application/grpcx", "application/grp", "text/application/grpc",
            "application/grpc+\(String(repeating: "x", count: 64))",
        ])
    func `another request is answered as ever`(type: String) throws {
        let answer = try answer(type)
        #expect(answer.status == 401)
        #expect(answer.values("grpc-status") == [])
    }

    @Test func `a profile's status and body are not for gRPC, its headers are`() throws {
        let answer = try answer("application/grpc") { configuration in
            var profile = ResponseProfileConfiguration()
            profile.fallback.status = 418
            profile.fallback.body = PolicyFixture.located("tea")
            profile.fallback.headers = [HeaderTemplate(name: "X-Reason", template: PolicyFixture.located("{reason}"))]
            configuration.profiles["p"] = profile
            configuration.responses = "p"
        }
        #expect(answer.status == 200)
        #expect(answer.body.isEmpty)
        #expect(answer.values("grpc-status") == ["16"])
        #expect(answer.values("X-Reason") == ["credential_missing"])
    }

    @Test func `rate limits say when to come again`() throws {
        let fixture = try PolicyFixture { configuration in
            configuration.limits["one"] = LimitConfiguration(
                requests: 1, per: .seconds(60), burst: 1, by: [.address], position: SourcePosition(line: 1, column: 1))
            configuration.routes = [
                PolicyFixture.route("/a") { $0.limits = [PolicyFixture.located("one")] }
            ]
        }
        let fields = ["Content-Type: application/grpc"]
        #expect(try fixture.outcome("POST /a", fields) == "forwarded")
        let answer = try fixture.answer("POST /a", fields)
        #expect(answer.values("grpc-status") == ["8"])
        #expect(answer.values("Retry-After") == ["60"])
        #expect(answer.values("X-RateLimit-Remaining") == ["0"])
    }

    @Test(arguments: Denial.all)
    func `every refusal has a status of gRPC that is no success`(denial: Denial) {
        let code = GRPCAnswer.code(for: denial.status)
        #expect((1...16).contains(code))
        #expect(code != 2, "\(denial.reason) is of no known kind")
    }

    @Test(
        arguments: [
            (400, 13), (401, 16), (403, 7), (404, 12), (405, 12), (408, 4), (413, 8), (429, 8), (502, 14), (503, 14),
            (504, 4), (418, 2), (500, 2),
        ])
    func `statuses are mapped`(status: Int, code: Int) {
        #expect(GRPCAnswer.code(for: status) == code)
    }

    @Test func `a message is percent-encoded`() {
        var output: [UInt8] = []
        GRPCAnswer.append(message: "a% ü\n".utf8.span, to: &output)
        #expect(String(decoding: output, as: UTF8.self) == "a%25 %C3%BC%0A")
    }
}
