import Core
import Testing

@testable import Policy

/// Requests over connections that differ from the usual one, under a policy written as text.
extension PolicyFixture {
    /// A policy of the text of its members, beside the listeners and the upstream `up`.
    convenience init(members: String, keys: KeySet? = nil) throws {
        let text =
            #"{"listeners":[{"address":"127.0.0.1:0"}],"upstreams":{"up":{"servers":["http://127.0.0.1:9000"]}},"#
            + members + "}"
        let (configuration, diagnostics) = ConfigurationReader.read(text.utf8.span, file: "gateway.json")
        #expect(diagnostics.map(\.description) == [])
        let read = try #require(configuration)
        try self.init(keys: keys) { $0 = read }
    }

    static func facts(
        from peer: String = peer, isSecure: Bool = false, certificate: ClientCertificate? = nil
    ) throws -> ConnectionFacts {
        ConnectionFacts(
            peer: try #require(IPAddress(peer)), peerPort: 5000, localPort: 8080, isSecure: isSecure, waited: true,
            clientCertificate: certificate)
    }

    func decide(_ first: String, _ fields: [String], over connection: ConnectionFacts) throws -> Decision {
        var head = try Self.head(first, fields)
        return snapshot.decide(&head, connection: connection, now: now, memory: memory)
    }

    /// "forwarded", or the reason of the refusal.
    func outcome(_ first: String, _ fields: [String] = [], over connection: ConnectionFacts) throws -> String {
        switch try decide(first, fields, over: connection) {
        case .forward: "forwarded"
        case .refuse(let refusal): refusal.denial.reason
        case .wait: "waiting"
        case .answer: "answered"
        }
    }

    func grant(_ first: String, _ fields: [String] = [], over connection: ConnectionFacts) throws -> Grant {
        let decision = try decide(first, fields, over: connection)
        guard case .forward(let grant) = decision else {
            Issue.record("\(first) \(fields): \(decision)")
            throw FixtureError()
        }
        return grant
    }

    /// What the upstream gets.
    func forwarded(_ first: String, _ fields: [String] = [], over connection: ConnectionFacts) throws -> Forwarded {
        var head = try Self.head(first, fields)
        guard case .forward(let grant) = snapshot.decide(&head, connection: connection, now: now, memory: memory) else {
            Issue.record("\(first) \(fields) is not forwarded")
            throw FixtureError()
        }
        var plan = UpstreamPlan()
        let denial = snapshot.prepare(
            grant, head: &head, connection: connection, requestID: Self.requestID.utf8.span, into: &plan)
        #expect(denial == nil)
        let forwarded = Forwarded(head: head, plan: plan, grant: grant)
        // A request that has to be sent again is prepared again, to the same end.
        var other = UpstreamPlan()
        let denialAgain = snapshot.prepare(
            grant, head: &head, connection: connection, requestID: Self.requestID.utf8.span, again: true, into: &other)
        #expect(denialAgain == nil)
        let again = Forwarded(head: head, plan: other, grant: grant)
        #expect(again.lines == forwarded.lines && again.target == forwarded.target && again.host == forwarded.host)
        return forwarded
    }

    /// A certificate of `CN=billing,O=Acme`, good until an hour after the clock's start.
    static func certificate(_ change: (inout ClientCertificate.Parts) -> Void = { _ in }) -> ClientCertificate {
        var parts = ClientCertificate.Parts(
            fingerprint: Digest256(0x0123_4567_89AB_CDEF, 2, 3, 4), notAfter: clock(3600).wall)
        parts.subject = "CN=billing,O=Acme"
        parts.commonName = "billing"
        parts.dnsNames = ["billing.acme.test", "b.acme.test"]
        parts.uris = ["spiffe://acme/billing"]
        parts.emails = ["billing@acme.test"]
        parts.issuer = "CN=Acme CA"
        parts.serial = "0A"
        change(&parts)
        return ClientCertificate(parts)
    }
}
