import Core
import IO
import Policy

/// Routes that show the upstream a credential of the caller's: it may have to be refreshed before the request goes on, or
/// after the upstream refused it.
extension Exchange {
    /// Content kept to be sent again after a 401.
    private static let keptBytes = 16_384

    /// Finds what the upstream is to be shown, then forwards.
    func obtainCredential(by rule: StoredCredentialRule, for grant: Grant) {
        guard let token = grant.identity.token else {
            refuse(Refusal(denial: .upstreamCredentialMissing, after: grant))
            return
        }
        let shown = ShownCredential()
        if rule.refresh != nil {
            shown.keptContent = SentContent()
            if let held = collected { shown.keptContent?.content = held }
        }
        self.shown = shown
        switch ask(rule, token, grant, then: { $0.forward(grant, showing: $1) }) {
        case .show(let credential): forward(grant, showing: credential)
        case .refuse(let denial): refuse(Refusal(denial: denial, after: grant))
        case .nothingBetter: refuse(Refusal(denial: .upstreamCredentialMissing, after: grant))
        case .wait: break
        }
    }

    /// The upstream answered 401. True when the answer is not the client's: the request is sent once more with a new
    /// credential, now or when there is one.
    func replace(_ shown: ShownCredential) -> Bool {
        guard let grant, let rule = grant.route.storedCredential, rule.refresh != nil, let spent = shown.credential,
            let token = grant.identity.token, !shown.isReplaced
        else { return false }
        guard shown.keptContent != nil else {
            // What was sent is gone; the next request is to fare better.
            worker.shared.credentials.renew(spent, by: rule, for: token, now: worker.loop.now)
            return false
        }
        switch ask(rule, token, grant, then: { $0.sendOnceMore(grant, showing: $1) }) {
        case .show(let credential):
            dropUpstream()
            sendOnceMore(grant, showing: credential)
        case .wait: dropUpstream()
        case .refuse, .nothingBetter: return false
        }
        return true
    }

    private func ask(
        _ rule: StoredCredentialRule, _ token: VerifiedToken, _ grant: Grant,
        then proceed: @escaping (Exchange, UpstreamCredential) -> Void
    ) -> CredentialVault.Answer {
        let worker = self.worker
        guard worker.waiting < FixedBounds.waitingRequests else { return .refuse(.overloaded) }
        return worker.shared.credentials.credential(by: rule, for: token, spent: shown?.credential, now: worker.loop.now) {
            worker.waiting &+= 1
            if !requestIsComplete { client.pauseContent() }
            let ticket = beginWaiting()
            let bound = LoopBound((exchange: self, proceed: proceed), on: worker.loop.queue)
            return { result in
                worker.loop.submit {
                    worker.loop.round {
                        worker.waiting &-= 1
                        let (exchange, proceed) = bound.value
                        guard exchange.isWaiting(ticket) else { return }
                        exchange.endWaiting()
                        switch result {
                        case .success(let credential): proceed(exchange, credential)
                        case .failure(let denial): exchange.refuse(Refusal(denial: denial, after: grant))
                        }
                    }
                }
            }
        }
    }

    private func forward(_ grant: Grant, showing credential: UpstreamCredential) {
        shown?.credential = credential
        send(grant)
    }

    private func sendOnceMore(_ grant: Grant, showing credential: UpstreamCredential) {
        shown?.credential = credential
        shown?.isReplaced = true
        guard let sent = shown?.keptContent, let group,
            let next = group.connection(excluding: triedServers, worker: worker, forTunnel: offer)
        else {
            refuse(Refusal(denial: group.nothingToTry, after: grant))
            return
        }
        if let denial = send(grant, again: sent, on: next) {
            next.abandon()
            refuse(Refusal(denial: denial, after: grant))
            return
        }
        group.counters.values.retries &+= 1
        retries &+= 1
    }

    /// A piece of content, which may have to be sent again. While there is no upstream nothing can be lost, and the client
    /// has been told to stop.
    func keep(_ bytes: Span<UInt8>, for shown: ShownCredential) {
        guard let count = shown.keptContent?.content.count else { return }
        if upstream == nil || count &+ bytes.count <= Self.keptBytes {
            shown.keptContent?.content.append(contentsOf: bytes)
            hold(bytes.count)
        } else {
            shown.keptContent = nil
        }
    }
}
