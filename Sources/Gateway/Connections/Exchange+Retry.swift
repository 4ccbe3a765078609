import Core
import Policy

/// Sending a request again after an upstream failed.
extension Exchange {
    /// When sending again cannot carry anything out twice: no byte was sent, or a kept connection died before its first
    /// byte of an answer and the method is idempotent (RFC 9110 §9.2.2, RFC 9112 §9.3.1), or the upstream said that it did
    /// nothing (RFC 9113 §8.7).
    func mayTryAgain(after failure: UpstreamFailure, on failed: any UpstreamStream) -> Bool {
        switch failure {
        case .connectFailed, .connectTimedOut, .tlsFailed:
            triedServers |= failed.server.bit
            return failed.isUntouched
        case .closedBeforeAnswer:
            guard staleRetries < 2, failed.isUntouched || failed.isReused && failed.canReplay else { return false }
            staleRetries &+= 1
            return true
        case .unprocessed:
            guard staleRetries < 2 else { return false }
            staleRetries &+= 1
            return true
        case .noWebSockets:
            triedServers |= failed.server.bit
            return true
        case .chosenHTTP1, .nowSettled: return true
        case .answerTimedOut, .stalled, .idle, .invalidAnswer, .cut: return false
        }
    }

    /// Sends the request once more. False when that cannot be done.
    func send(again failed: any UpstreamStream, on next: any UpstreamStream) -> Bool {
        if let next = next as? HTTP1UpstreamConnection, let failed = failed as? HTTP1UpstreamConnection {
            attach(next)
            next.begin(self, insteadOf: failed, method: head.method, responseTimeout: grant?.route.responseTimeout)
            var none = TrailerSection()
            if requestIsComplete { next.endRequest(framing: .none, trailers: &none) }
            return true
        }
        // What was sent behind the head has to be sent again too, and there is nothing else to take it from.
        let hasSentMore = contentBytes > 0 || requestIsComplete && head.announcesContent
        guard let grant, let sent = hasSentMore ? failed.sentSoFar : SentContent(), send(grant, again: sent, on: next) == nil
        else {
            next.abandon()
            return false
        }
        return true
    }

    /// Sends the request once more with what had followed its head; why not, when that cannot be done.
    func send(_ grant: Grant, again sent: SentContent, on next: any UpstreamStream) -> Denial? {
        if let denial = prepare(grant, again: true) { return denial }
        var content = sent.content
        if grant.route.changesContent {
            // With the credential that is shown now.
            do throws(Denial) { content = try changed(content, by: grant) } catch { return error }
        }
        attach(next)
        next.begin(self, head: &head, responseTimeout: grant.route.responseTimeout)
        if !content.isEmpty { next.sendContent(content.span, framing: head.framing) }
        if requestIsComplete {
            var trailers = sent.trailers
            next.endRequest(framing: head.framing, trailers: &trailers)
        } else if content.isEmpty || !next.isCongested {
            client.resumeContent()
        }
        return nil
    }
}
