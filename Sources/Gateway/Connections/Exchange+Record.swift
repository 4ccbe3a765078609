import Core
import IO
import Policy

/// What is counted and logged of an exchange, allowed or refused.
extension Exchange {
    var route: Route? { grant?.route ?? refusal?.route }

    var outcome: RequestOutcome {
        RequestOutcome(
            status: status, reason: fault?.rawValue ?? refusal?.denial.reason, bytesIn: contentBytes, bytesOut: bytesOut,
            duration: worker.loop.now.instant.since(startedAt))
    }

    func fill(_ record: inout AccessRecord, outcome: RequestOutcome) {
        record.time = worker.loop.now.wall
        record.requestID.append(contentsOf: requestID)
        record.peer = client.peerAddress
        record.client = grant?.client ?? refusal?.client ?? client.facts.peer
        record.status = outcome.status
        record.reason = outcome.reason
        record.route = route?.name
        record.upstream = group?.name
        record.server = server?.name
        record.bytesIn = outcome.bytesIn
        record.bytesOut = outcome.bytesOut
        record.duration = outcome.duration
        record.upstreamDuration = answeredAfter
        record.retries = retries
    }
}
