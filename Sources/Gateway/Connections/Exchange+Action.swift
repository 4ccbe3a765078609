import Core
import IO
import Policy
import TokenService

/// Requests that the gateway itself carries out: their content is collected, the action works on queues of its own, and its
/// answer is sent as one of ours.
extension Exchange {
    /// The policy let the request in, and its content is needed, which may still have to come.
    func act(_ grant: Grant) {
        collected = []
        if requestIsComplete {
            contentIsCollected()
        } else {
            askForContent()
        }
    }

    /// A request to the admin listener that may have content.
    func collectForAdmin(atMost byteLimit: UInt64) {
        contentLimit = byteLimit
        collected = []
        if requestIsComplete {
            contentIsCollected()
        } else {
            askForContent()
        }
    }

    /// Nobody behind the gateway tells a client that waits for it to send its content (RFC 9110 §10.1.1).
    private func askForContent() {
        sendContinue()
        head.dropExpectation()
        client.resumeContent()
        client.expectContent()
    }

    /// The content of a request that the gateway itself carries out is whole.
    func contentIsCollected() {
        if let grant, grant.route.action != nil {
            perform(grant)
        } else if let grant {
            settleRealm(grant)
        } else {
            let content = collected ?? []
            collected = nil
            AdminEndpoint(worker: worker).carryOut(self, content: content)
        }
    }

    /// Content that may name the realm of its request is whole; it goes on as it came.
    private func settleRealm(_ grant: Grant) {
        do throws(Denial) { goOn(try snapshot.settled(grant, head, content: collected ?? [])) } catch {
            refuse(Refusal(denial: error, after: grant))
        }
    }

    /// Changes the collected content as the route says; why not, when that cannot be done. The plan is this request's.
    func changeContent(by grant: Grant) -> Denial? {
        guard grant.route.changesContent, let whole = collected else { return nil }
        do throws(Denial) { collected = try changed(whole, by: grant) } catch { return error }
        return nil
    }

    /// The same of content that is sent once more.
    func changed(_ content: [UInt8], by grant: Grant) throws(Denial) -> [UInt8] {
        let changed = try requestID.withSpan { (id) throws(Denial) in
            try snapshot.changeContent(
                content, of: grant, head: &head, requestID: id, showing: shown?.credential, plan: worker.plan)
        }
        hold(changed.count)
        return changed
    }

    /// A piece of content for an action, which is bounded by `contentLimit`. False when memory is scarce, and the request is refused.
    func collect(_ bytes: Span<UInt8>) -> Bool {
        hold(bytes.count)
        collected?.append(contentsOf: bytes)
        guard worker.buffers.isFull, let collected, collected.count > FixedBounds.pieceBytes, client.role == .traffic else { return true }
        contentFailed(.overloaded)
        return false
    }

    /// The content is whole.
    func perform(_ grant: Grant) {
        let worker = self.worker
        let content = collected ?? []
        collected = nil
        let request = requestID.withSpan {
            snapshot.actionRequest(grant, head: head, content: content, requestID: $0, now: worker.loop.now)
        }
        let failures = worker.shared.failureBudget
        if grant.looksForCredentialInContent, let wait = failures.retryAfter(grant.client, now: worker.loop.now.instant) {
            refuse(Refusal(denial: .tooManyFailures, after: grant, retryAfter: wait))
            return
        }
        guard let request, worker.acting < FixedBounds.actionsUnderWay else {
            refuse(Refusal(denial: .overloaded, after: grant))
            return
        }
        worker.acting &+= 1
        // The same content again is not another guess.
        let mark = failures.mark(of: content.span)
        let ticket = beginWaiting()
        interest = request.interest
        let bound = LoopBound((exchange: self, ticket: ticket), on: worker.loop.queue)
        worker.shared.tokens.perform(request) { outcome in
            worker.loop.submit {
                worker.loop.round {
                    worker.acting &-= 1
                    let (exchange, ticket) = bound.value
                    guard exchange.isWaiting(ticket) else { return }
                    exchange.endWaiting()
                    exchange.answer(outcome, of: grant, contentMark: mark)
                }
            }
        }
    }

    /// - Parameter contentMark: what the failure budget knows the content of the request by.
    private func answer(_ outcome: ActionOutcome, of grant: Grant, contentMark: UInt32) {
        switch outcome {
        case .refuse(let denial, let messages, let retryAfter):
            if grant.countsAsFailure(denial) {
                worker.shared.failureBudget.recordFailure(grant.client, mark: contentMark, now: worker.loop.now.instant)
            }
            refuse(Refusal(denial: denial, after: grant, messages: messages, retryAfter: retryAfter))
        case .answer(let answer):
            requestID.withSpan {
                snapshot.answer(answer, grant: grant, head: head, requestID: $0, now: worker.loop.now, into: &worker.answer)
            }
            sendLocalAnswer()
        }
    }
}
