import Core
import HTTP1
import IO
import Policy

/// One request and its answer: the way of a request from the parsed head to the access record, top to bottom.
///
///     begin → decide ─┬─ refuse ───────────────────────────────┐
///                     ├─ wait (key set) → decide again         │
///                     └─ forward → upstream → content ⇄ answer ┴→ end → record
///
/// Belongs to one client connection while it lasts and is used again afterwards.
final class Exchange {
    let worker: Worker
    /// The policy this request began with; a reload does not change it half way.
    private(set) var snapshot: Snapshot
    /// Set from `open` to `finish`; the two refer to each other only that long.
    private(set) var client: (any ClientStream)!
    private(set) var upstream: (any UpstreamStream)?
    private(set) var group: UpstreamGroup?

    private(set) var grant: Grant?
    /// What the loop counts for this exchange.
    var heldBytes = 0
    /// The content so far of a request that the gateway itself carries out, or that goes on when it is whole.
    var collected: [UInt8]?
    /// Nil where the route has no stored credential.
    var shown: ShownCredential?
    private(set) var facts: ConnectionFacts
    /// The request's head, taken over from the parser's scratch value.
    var head = RequestHead()
    var clientKeepsAlive = true
    private(set) var startedAt = Instant(nanoseconds: 0)
    var requestID = ByteBuffer()

    // For the access record and the counters.
    var status = 0
    var bytesOut: UInt64 = 0
    /// From the beginning to the head of the upstream's answer.
    private(set) var answeredAfter: Nanoseconds?
    var fault: ExchangeFault?
    var refusal: Refusal?
    /// The answer to a preflight; nil for all other requests.
    var preflight: PreflightAnswer?
    var retries = 0
    private(set) var server: UpstreamServer?

    var contentLimit: UInt64 = .max
    private(set) var contentBytes: UInt64 = 0
    var requestIsComplete = true
    /// The head of an answer is queued for the client.
    var answerHasBegun: Bool { answer != .none }
    var answer = AnswerState.none
    private(set) var answerFraming = ResponseFraming.none
    var closesAfterAnswer = false
    /// Servers not to be asked again, by their bits.
    var triedServers: UInt64 = 0
    /// How often the request was sent again because it had not been looked at.
    var staleRetries = 0
    /// The change of protocol that was asked for, once it goes on to the upstream.
    var offer: UpgradeOffer?
    /// There from the moment both sides have changed their protocol.
    var tunnel: Tunnel?
    /// The tunnel's upstream sends no more.
    var upstreamHasEnded = false
    /// Nil where the route does not bound the time of its exchanges.
    var timer: ExchangeTimer?
    /// Grows with each wait begun or ended, so that a call that comes too late finds another number.
    private var waitNumber: UInt64 = 0
    /// Its client may be waiting for 100.
    var expectation: ExchangeTimer?
    /// Tells an action under way when nobody waits for it any more.
    var interest: ActionInterest?

    enum AnswerState { case none, begun, complete }

    init(worker: Worker) {
        self.worker = worker
        snapshot = worker.snapshot
        facts = ConnectionFacts(peer: IPAddress(v4: 0), peerPort: 0, localPort: 0, isSecure: false, waited: false)
    }

    // MARK: 1. The head is there

    /// The head in `worker.requestHead` is this exchange's request. `fits`: its connection may have one more such request.
    func begin(client: any ClientStream, hasContent: Bool, fits: Bool = true) {
        open(client)
        swap(&worker.requestHead, &head)
        hold(head.bytes.count)
        if let own = snapshot.requestID(in: &head, connection: facts) {
            let bytes = head.bytes
            requestID.append(contentsOf: bytes.span.extracting(own))
        } else {
            worker.requestIDs.append(to: &requestID)
        }
        clientKeepsAlive = head.keepsAlive
        requestIsComplete = !hasContent
        if client.role != .traffic {
            let endpoint = AdminEndpoint(worker: worker)
            client.role == .admin ? endpoint.answer(self) : endpoint.answerProbe(self)
        } else if worker.buffers.isFull || !fits {
            turnAway()
        } else if let target = client.redirect, redirect(to: target) {
            sendLocalAnswer()
        } else {
            decide()
        }
    }

    /// Whether the policy it last served is this one.
    func serves(_ policy: Snapshot) -> Bool { snapshot === policy }

    func open(_ client: any ClientStream) {
        self.client = client
        facts = client.facts
        if client.role == .traffic { worker.metrics.totals.requestsInFlight += 1 }
        if snapshot !== worker.snapshot { snapshot = worker.snapshot }
        startedAt = worker.loop.now.instant
        hold(FixedBounds.exchangeBytes)
        requestID.removeAll()
        grant = nil
        answer = .none
        offer = nil
        upstreamHasEnded = false
        contentBytes = 0
        contentLimit = .max
        closesAfterAnswer = false
        triedServers = 0
        staleRetries = 0
        status = 0
        bytesOut = 0
        answeredAfter = nil
        fault = nil
        refusal = nil
        retries = 0
    }

    // MARK: 2. The decision

    private func decide() {
        let decision = snapshot.decide(&head, connection: facts, now: worker.loop.now, memory: worker.memory)
        switch decision {
        case .forward(let grant): forward(grant)
        case .refuse(let refusal): refuse(refusal)
        case .wait(let cell, let refusal): park(until: cell, else: refusal)
        case .answer(let kind): answerLocally(kind)
        }
    }

    /// The keys that could tell are being fetched: ask again when they are there.
    private func park(until cell: KeySetCell, else refusal: Refusal) {
        guard worker.waiting < FixedBounds.waitingRequests else {
            if refusal.route?.isShadow == true {
                facts.waited = true
                decide()
            } else {
                refuse(refusal.insteadOfWaiting)
            }
            return
        }
        worker.waiting &+= 1
        // There is no upstream to take content yet.
        if !requestIsComplete { client.pauseContent() }
        let ticket = beginWaiting()
        worker.refetch(cell) { [self] in
            worker.waiting &-= 1
            guard isWaiting(ticket) else { return }
            endWaiting()
            facts.waited = true
            decide()
        }
    }

    /// Starts to wait for something outside this loop; the ticket tells later whether the wait is still on.
    func beginWaiting() -> UInt64 {
        waitNumber &+= 1
        return waitNumber
    }

    func isWaiting(_ ticket: UInt64) -> Bool { waitNumber == ticket }

    func endWaiting() {
        waitNumber &+= 1
        if let interest {
            interest.leave()
            self.interest = nil
        }
    }

    // MARK: 3. Forwarding

    private func forward(_ grant: Grant) {
        self.grant = grant
        contentLimit = grant.route.contentByteLimit
        if let timeout = grant.route.timeout { startTimer(timeout) }
        if let denial = grant.contentDenial(head.framing) {
            // The content is not waited for only to be discarded.
            closesAfterAnswer = true
            refuse(Refusal(denial: denial, after: grant))
            return
        }
        if grant.holdsContent(head) { return act(grant) }
        goOn(grant)
    }

    /// Towards the upstream.
    func goOn(_ grant: Grant) {
        self.grant = grant
        if let rule = grant.route.storedCredential { return obtainCredential(by: rule, for: grant) }
        send(grant)
    }

    func send(_ grant: Grant) {
        if let denial = prepare(grant) {
            refuse(Refusal(denial: denial, after: grant))
            return
        }
        if let denial = changeContent(by: grant) {
            refuse(Refusal(denial: denial, after: grant))
            return
        }
        if head.wantsUpgrade, let denial = offerUpgrade(grant) {
            refuse(Refusal(denial: denial, after: grant))
            return
        }
        group = worker.group(of: grant.route, in: snapshot)
        guard let group,
            let upstream = group.connection(excluding: triedServers, worker: worker, forTunnel: offer)
        else {
            refuse(Refusal(denial: group.nothingToTry, after: grant))
            return
        }
        attach(upstream)
        upstream.begin(self, head: &head, responseTimeout: grant.route.responseTimeout)
        contentMayFollow()
    }

    /// Fills `worker.plan`; nil when nothing speaks against it.
    func prepare(_ grant: Grant, again: Bool = false) -> Denial? {
        requestID.withSpan {
            snapshot.prepare(grant, head: &head, connection: facts, requestID: $0, again: again, showing: shown?.credential,
                into: &worker.plan)
        }
    }

    /// The request goes to `upstream` from here on.
    func attach(_ upstream: any UpstreamStream) {
        self.upstream = upstream
        server = upstream.server
    }

    private func contentMayFollow() {
        if let held = collected {
            collected = nil
            if !held.isEmpty { upstream?.sendContent(held.span, framing: head.framing) }
            upstream?.endRequest(framing: head.framing, trailers: &worker.noTrailers)
        } else if requestIsComplete {
            upstream?.endRequest(framing: .none, trailers: &worker.noTrailers)
        } else {
            client.resumeContent()
            client.expectContent()
            watchExpectation()
        }
    }

    /// A piece of the request's content. False when it is too much, and the request is refused.
    func receiveContent(_ bytes: Span<UInt8>) -> Bool {
        contentBytes &+= UInt64(bytes.count)
        if let tunnel {
            passUp(bytes, through: tunnel)
            return true
        }
        guard contentBytes <= contentLimit else {
            contentFailed(.bodyTooLarge)
            return false
        }
        if let shown { keep(bytes, for: shown) }
        if let upstream {
            upstream.sendContent(bytes, framing: head.framing)
            if upstream.isCongested { client.pauseContent() }
        } else if collected != nil {
            return collect(bytes)
        }
        return true
    }

    /// The request's content is whole.
    func requestEnded(trailers: inout TrailerSection) {
        if let tunnel { return clientEndedTunnel(tunnel) }
        requestIsComplete = true
        if let grant, !trailers.fields.isEmpty {
            let bytes = trailers.bytes
            grant.dropTrailers(&trailers.fields, in: bytes.span)
        }
        shown?.keptContent?.trailers = trailers
        guard let upstream else {
            if collected != nil { contentIsCollected() }
            return
        }
        upstream.endRequest(framing: head.framing, trailers: &trailers)
    }

    /// The request's content is wrong or too much: its exchange with the upstream must not look complete.
    func contentFailed(_ denial: Denial) {
        dropUpstream()
        closesAfterAnswer = true
        if answer == .none {
            refuse(Refusal(denial: denial, after: grant))
        } else {
            abort(.afterQueued(showsLength: answerFraming.showsLength))
        }
    }

    /// The upstream wrote what it had; more content may come.
    func upstreamTookOutput() {
        tunnel?.moved()
        client.resumeContent()
    }

    // MARK: 4. The answer

    /// The upstream's response head, in `worker.responseHead`.
    func receive(status: Int) {
        let client = self.client!
        if status < 200 {
            relayInterim(status)
            return
        }
        if offer != nil, head.version == .http2, status < 300 {
            // The client would take it for its tunnel (RFC 8441 §5).
            return refuseAnswer()
        }
        if status == 401, let shown, replace(shown) { return }
        beginAnswer(status: status)
        answerFraming = ResponseFraming(
            received: worker.responseHead.framing, status: status, requestMethod: head.method, version: head.version)
        // Content that is still on its way when the answer comes would have to be read to keep the connection.
        let closes = !clientKeepsAlive || !requestIsComplete || answerFraming == .untilClose || client.isEnding
        closesAfterAnswer = closes
        requestID.withSpan {
            snapshot.completeResponse(
                &worker.responseHead, grant: grant, requestID: $0, now: worker.loop.now, into: &worker.lines)
        }
        if let grant, let cors = grant.route.cors {
            cors.complete(&worker.responseHead, of: head, isShadow: grant.route.isShadow, into: &worker.lines)
        }
        client.sendHead(for: &head, framing: answerFraming, closes: closes)
    }

    func beginAnswer(status: Int) {
        answer = .begun
        self.status = status
        answeredAfter = worker.loop.now.instant.since(startedAt)
    }

    /// The upstream's answer is one that must not go on.
    private func refuseAnswer() {
        dropUpstream()
        refuse(Refusal(denial: .upstreamInvalidResponse, after: grant))
    }

    /// 1xx: passed on, but not to HTTP/1.0 clients, and 100 only to those who asked (RFC 9110 §15.2).
    private func relayInterim(_ status: Int) {
        guard head.version != .http10, status != 100 || head.expectsContinue else { return }
        worker.lines.removeAll()
        requestID.withSpan { worker.lines.append(name: "X-Request-ID", value: $0) }
        client.sendInterim()
    }

    func receiveAnswerContent(_ bytes: Span<UInt8>) {
        if let tunnel { return passDown(bytes, through: tunnel) }
        let client = self.client!
        bytesOut &+= UInt64(bytes.count)
        client.sendContent(bytes, framing: answerFraming)
        if client.isCongested {
            upstream?.pause()
            client.noticeWhenTaken()
        }
    }

    /// The client's connection took output.
    @inline(__always)
    func clientTookOutput() {
        tunnel?.moved()
        upstream?.resume()
    }

    /// The upstream's answer is whole. The upstream connection has already gone its own way.
    func answerEnded(trailers: inout TrailerSection) {
        upstream = nil
        client.endContent(framing: answerFraming, trailers: &trailers)
        end()
    }

    // MARK: 5. What goes wrong

    /// The upstream's side failed. It has closed itself.
    func upstreamFailed(_ failure: UpstreamFailure, on failed: any UpstreamStream) {
        guard upstream === failed else { return }
        upstream = nil
        // It had said all it had to say; only what the client still sent is lost.
        if upstreamHasEnded { return end() }
        if answer != .none {
            return cutAnswer(because: failure == .idle ? .answerIdle : .upstreamCut)
        }
        if mayTryAgain(after: failure, on: failed),
            let next = group?.connection(excluding: triedServers, worker: worker, forTunnel: offer),
            send(again: failed, on: next)
        {
            if failure == .chosenHTTP1 || failure == .nowSettled { return }
            group?.counters.values.retries &+= 1
            retries &+= 1
            return
        }
        refuse(Refusal(denial: failure.denial, after: grant))
    }

    /// The client's connection is gone, and why.
    func clientLeft(_ fault: ExchangeFault) {
        dropUpstream()
        if answer != .complete { self.fault = fault }
        finish()
    }

    /// The client closed its sending side: no request comes after this one.
    func clientEndsAfterThis() { clientKeepsAlive = false }

    /// The client's deadline passed: content did not come, the answer was not taken, or a half-closed client waited in vain.
    func clientTimedOut() {
        if answer == .none, !requestIsComplete {
            dropUpstream()
            closesAfterAnswer = true
            refuse(Refusal(denial: .bodyTimeout, after: grant))
        } else {
            dropUpstream()
            fault = .clientTimedOut
            abort(.now)
        }
    }

    func dropUpstream() {
        guard let upstream else { return }
        self.upstream = nil
        upstream.abandon()
    }

    /// Lets the upstream write what it still has to.
    func leaveUpstream() {
        guard let upstream else { return }
        self.upstream = nil
        upstream.leave()
    }

    // MARK: 6. The end

    func end() {
        answer = .complete
        let client = self.client!
        let closes = closesAfterAnswer || !clientKeepsAlive
        dropUpstream()
        finish()
        client.exchangeEnded(closes: closes)
    }

    /// The access record, and back to the loop's free exchanges.
    func finish() {
        endWaiting()
        if client.role == .traffic {
            worker.record(self)
            worker.metrics.totals.requestsInFlight -= 1
        }
        forgetTunnel()
        endExpectation()
        stopTimer()
        worker.buffers.hold(-heldBytes)
        heldBytes = 0
        // What stays with a free exchange is small.
        if head.bytes.capacity > 2 * FixedBounds.pieceBytes { head = RequestHead() }
        collected = nil
        shown = nil
        grant = nil
        group = nil
        server = nil
        refusal = nil
        if preflight != nil { preflight = nil }
        client = nil
        worker.giveBack(self)
    }
}
