import Core
import IO
import Policy

/// What is counted and logged of an exchange, allowed or refused.
extension Exchange {
    var route: Route? { grant?.route ?? refusal?.route ?? preflight?.route }

    var outcome: RequestOutcome {
        RequestOutcome(
            status: status, reason: fault?.rawValue ?? refusal?.denial.reason, isRefused: refusal != nil,
            bytesIn: contentBytes, bytesOut: bytesOut, duration: age)
    }

    /// From the beginning until now. The loop's clock stands while events of one round are handled; what ends in the round in which
    /// it began, as refusals do, is measured by the clock itself.
    private var age: Nanoseconds {
        let now = worker.loop.now.instant
        return (now == startedAt ? EventLoop.readClocks().instant : now).since(startedAt)
    }

    /// What the counters are told: of a tunnel the time its handshake took, since its age is no latency.
    func counted(_ outcome: RequestOutcome) -> RequestOutcome {
        var counted = outcome
        if tunnel != nil, let answeredAfter { counted.duration = answeredAfter }
        return counted
    }

    func fill(_ record: inout AccessRecord, outcome: RequestOutcome) {
        record.time = worker.loop.now.wall
        requestID.withSpan { record.requestID.append(contentsOf: $0) }
        record.peer = client.peerAddress
        record.client = grant?.client ?? refusal?.client ?? preflight?.client ?? facts.peer
        record.status = outcome.status
        record.reason = outcome.reason
        record.tokenMember = refusal?.denial.tokenMember
        record.isSecure = hasWholeHead ? snapshot.isSecure(head, connection: facts) : facts.isSecure
        if let grant, !grant.shadowRefusals.isEmpty { record.shadowRefusals = grant.shadowRefusals }
        record.route = route?.name
        if let ambiguity = refusal?.ambiguity { record.otherRoute = ambiguity.otherRoute(in: snapshot) }
        record.upstream = group?.name
        record.server = server?.name
        record.bytesIn = outcome.bytesIn
        record.bytesOut = outcome.bytesOut
        record.duration = outcome.duration
        record.upstreamDuration = answeredAfter
        let identity = grant?.identity ?? refusal?.identity ?? .anonymous
        switch identity {
        case .anonymous: record.authentication = .none
        case .apiKey: record.authentication = .apiKey
        case .token: record.authentication = .token
        case .certificate: record.authentication = .certificate
        }
        _ = identity.appendCredential(to: &record.credential)
        _ = identity.appendSubject(to: &record.subject)
        if let fingerprint = grant?.fingerprint ?? refusal?.fingerprint { record.fingerprint.append(hexadecimal: fingerprint) }
        record.source = grant?.credentialPlace ?? refusal?.credentialPlace ?? []
        record.retries = retries
    }

    /// The head was read to its end and without fault, so that its fields may be looked at.
    private var hasWholeHead: Bool {
        if grant != nil { return true }
        guard let refusal else { return fault == nil }
        return refusal.denial.step > .request
    }
}
