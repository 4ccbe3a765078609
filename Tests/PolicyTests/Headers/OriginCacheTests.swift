import Core
import HTTP1
import Testing

@testable import Policy

struct OriginCacheTests {
    private func fixture(_ change: (inout Configuration) -> Void = { _ in }) throws -> PolicyFixture {
        try PolicyFixture { configuration in
            configuration.forwardedFields = .both
            configuration.trustedProxies = [CIDRBlock("10.0.0.0/8")].compactMap(\.self)
            configuration.routes = [PolicyFixture.route("/**")]
            change(&configuration)
        }
    }

    /// One request: who asks, over what, for which host.
    struct Request: Sendable {
        var peer = "192.0.2.7"
        var host = "api.test"
        var version = "HTTP/1.1"
        var isSecure = false
    }

    /// The lines for `request`, written into a plan that was used before or into a new one.
    private func lines(_ request: Request, _ fixture: PolicyFixture, _ plan: inout UpstreamPlan) throws -> [String] {
        var head = try PolicyFixture.head("GET /x", ["Host: \(request.host)"], version: request.version)
        let facts = ConnectionFacts(
            peer: try #require(IPAddress(request.peer)), peerPort: 5000, localPort: 8080,
            isSecure: request.isSecure, waited: false)
        let decision = fixture.snapshot.decide(&head, connection: facts, now: fixture.now, memory: fixture.memory)
        guard case .forward(let grant) = decision else {
            Issue.record("\(request): \(decision)")
            return []
        }
        let denial = fixture.snapshot.prepare(
            grant, head: &head, connection: facts, requestID: PolicyFixture.requestID.utf8.span, into: &plan)
        #expect(denial == nil)
        return Forwarded(head: head, plan: plan, grant: grant).lines
    }

    private static let requests = [
        Request(), Request(host: "other.test"), Request(host: "api.tesT"), Request(peer: "192.0.2.8"),
        Request(peer: "2001:db8::1"), Request(version: "HTTP/1.0"), Request(isSecure: true),
        Request(host: "api.test:443", isSecure: true),
        Request(peer: "10.0.0.1"), Request(host: "api.test:80"),
    ]

    @Test func `whoever asked before, a request says what it says on its own`() throws {
        let fixture = try fixture()
        var used = UpstreamPlan()
        for first in Self.requests {
            for second in Self.requests {
                for request in [first, second, first] {
                    var new = UpstreamPlan()
                    #expect(try lines(request, fixture, &used) == lines(request, fixture, &new))
                }
            }
        }
    }

    @Test func `different origins say different things`() throws {
        let fixture = try fixture { $0.via = "portcullis" }
        var plan = UpstreamPlan()
        var said: Set<[String]> = []
        for request in Self.requests { said.insert(try lines(request, fixture, &plan)) }
        #expect(said.count == Self.requests.count)
    }

    @Test func `a new policy's fields are not those of the one before`() throws {
        var plan = UpstreamPlan()
        let named = try fixture { $0.via = "portcullis" }
        #expect(try lines(Request(), named, &plan).contains("Via: 1.1 portcullis"))
        let other = try fixture { $0.via = "gate" }
        #expect(try lines(Request(), other, &plan).contains("Via: 1.1 gate"))
        let silent = try fixture {
            $0.via = nil
            $0.forwardedFields = .none
        }
        #expect(try lines(Request(), silent, &plan) == ["X-Request-ID: \(PolicyFixture.requestID)"])
    }
}
