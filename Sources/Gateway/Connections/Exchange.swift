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
    private var snapshot: Snapshot
    /// Set from `open` to `finish`; the two refer to each other only that long.
    private(set) var client: ClientConnection!
    private var upstream: UpstreamConnection?
    private(set) var group: UpstreamGroup?

    private(set) var grant: Grant?
    /// The request's head, taken over from the parser's scratch value.
    private(set) var head = RequestHead()
    private var clientKeepsAlive = true
    private(set) var startedAt = Instant(nanoseconds: 0)
    private(set) var requestID: [UInt8] = []

    // For the access record and the counters.
    private(set) var status = 0
    private(set) var bytesOut: UInt64 = 0
    /// From the beginning to the head of the upstream's answer.
    private(set) var answeredAfter: Nanoseconds?
    private(set) var fault: ExchangeFault?
    private(set) var refusal: Refusal?
    private(set) var retries = 0
    private(set) var server: UpstreamServer?

    private var content = BodyReader()
    private var contentLimit: UInt64 = .max
    private(set) var contentBytes: UInt64 = 0
    private(set) var requestIsComplete = true
    /// The head of an answer is queued for the client.
    var answerHasBegun: Bool { answer != .none }
    private var answer = AnswerState.none
    private var answerFraming = ResponseFraming.none
    private var closesAfterAnswer = false
    private var triedServers: UInt64 = 0
    private var staleRetries = 0
    /// Grows with each wait begun or ended, so that a call that comes too late finds another number.
    private var waitNumber: UInt64 = 0

    private enum AnswerState { case none, begun, complete }

    init(worker: Worker) {
        self.worker = worker
        snapshot = worker.snapshot
    }

    // MARK: 1. The head is there

    /// The head in `worker.requestHead` is this exchange's request.
    func begin(client: ClientConnection) {
        open(client)
        swap(&worker.requestHead, &head)
        if let own = snapshot.requestID(in: head, connection: client.facts) {
            requestID.append(contentsOf: head.bytes[own])
        } else {
            worker.requestIDs.append(to: &requestID)
        }
        clientKeepsAlive = head.keepsAlive
        content.begin(head.framing)
        requestIsComplete = content.isComplete
        if client.role == .admin {
            AdminEndpoint(worker: worker).answer(self)
        } else {
            decide(waited: false)
        }
    }

    /// Whether the policy it last served is this one.
    func serves(_ policy: Snapshot) -> Bool { snapshot === policy }

    private func open(_ client: ClientConnection) {
        self.client = client
        if snapshot !== worker.snapshot { snapshot = worker.snapshot }
        startedAt = worker.loop.now.instant
        requestID.removeAll(keepingCapacity: true)
        grant = nil
        answer = .none
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

    private func decide(waited: Bool) {
        client.facts.waited = waited
        let decision = snapshot.decide(
            &head, connection: client.facts, now: worker.loop.now, memory: worker.memory)
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
            refuse(refusal)
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
            decide(waited: true)
        }
    }

    /// Starts to wait for something outside this loop; the ticket tells later whether the wait is still on.
    func beginWaiting() -> UInt64 {
        waitNumber &+= 1
        return waitNumber
    }

    func isWaiting(_ ticket: UInt64) -> Bool { waitNumber == ticket }

    private func endWaiting() { waitNumber &+= 1 }

    // MARK: 3. Forwarding

    private func forward(_ grant: Grant) {
        self.grant = grant
        contentLimit = grant.route.bodyByteLimit ?? worker.bounds.bodyByteLimit
        if case .length(let count) = head.framing, count > contentLimit {
            // Nobody wants to wait for so much to be thrown away.
            closesAfterAnswer = true
            refuse(Refusal(denial: .bodyTooLarge, after: grant))
            return
        }
        let requestID = self.requestID
        if let denial = snapshot.prepare(
            grant, head: &head, connection: client.facts, requestID: requestID.span, into: &worker.plan)
        {
            refuse(Refusal(denial: denial, after: grant))
            return
        }
        group = worker.group(of: grant.route, in: snapshot)
        guard let group, let upstream = group.connection(excluding: triedServers, worker: worker) else {
            refuse(Refusal(denial: .noServerAvailable, after: grant))
            return
        }
        worker.borrow(&upstream.output)
        worker.writeRequest(&head, server: upstream.server, to: &upstream.output.bytes)
        attach(upstream)
        if requestIsComplete {
            upstream.requestEnded()
        } else {
            client.resumeContent()
            client.expectContent()
        }
    }

    private func attach(_ upstream: UpstreamConnection) {
        self.upstream = upstream
        server = upstream.server
        // A pooled connection may have been closed by the other side meanwhile: keep the request until it answers.
        upstream.output.keepsWritten = upstream.isReused && head.method.isIdempotent
        upstream.begin(self, method: head.method, responseTimeout: grant?.route.responseTimeout)
    }

    /// Takes content of the request from `bytes`; returns how much.
    func receiveContent(_ bytes: Span<UInt8>) -> Int {
        let client = self.client!
        var index = 0
        while !requestIsComplete {
            let piece: ChunkPiece?
            do throws(FramingFault) { piece = try content.next(bytes, from: &index) } catch {
                failContent(.malformedRequest(reason: error.reason, status: 400, detail: error.detail))
                return bytes.count
            }
            if let piece, case .body(let range) = piece {
                contentBytes &+= UInt64(range.count)
                if contentBytes > contentLimit {
                    failContent(.bodyTooLarge)
                    return bytes.count
                }
                if let upstream {
                    if content.framing == .chunked {
                        ChunkWriter.append(chunkTo: &upstream.output.bytes, content: bytes.extracting(range))
                    } else {
                        upstream.output.bytes.append(contentsOf: bytes.extracting(range))
                    }
                }
            }
            if content.isComplete {
                if let upstream, let grant, content.framing == .chunked {
                    var trailers = content.trailers
                    let bytes = trailers.bytes
                    grant.route.dropTrailers(&trailers.fields, in: bytes.span)
                    ChunkWriter.append(lastChunkTo: &upstream.output.bytes, trailers: trailers)
                }
                requestIsComplete = true
                upstream?.requestEnded()
            } else if piece == nil {
                break
            }
        }
        if let upstream {
            upstream.contentAppended()
            if upstream.output.pending > FixedBounds.pendingOutputBytes { client.pauseContent() }
        }
        return index
    }

    /// The request's content is wrong or too much: its exchange with the upstream must not look complete.
    private func failContent(_ denial: Denial) {
        dropUpstream()
        closesAfterAnswer = true
        if answer == .none {
            refuse(Refusal(denial: denial, after: grant))
        } else {
            abort()
        }
    }

    /// The upstream wrote what it had; more content may come.
    func upstreamTookOutput() { client.resumeContent() }

    // MARK: 4. The answer

    /// The upstream's response head, in `worker.responseHead`.
    func receive(status: Int) {
        let client = self.client!
        if status < 200 {
            relayInterim(status)
            return
        }
        answer = .begun
        self.status = status
        answeredAfter = worker.loop.now.instant.since(startedAt)
        answerFraming = ResponseFraming(
            received: worker.responseHead.framing, status: status, requestMethod: head.method, version: head.version)
        // Content that is still on its way when the answer comes would have to be read to keep the connection.
        let closes = !clientKeepsAlive || !requestIsComplete || answerFraming == .untilClose || worker.isDraining
        closesAfterAnswer = closes
        let requestID = self.requestID
        snapshot.completeResponse(
            &worker.responseHead, grant: grant, requestID: requestID.span, now: worker.loop.now, into: &worker.lines)
        worker.borrow(&client.output)
        worker.writeResponse(framing: answerFraming, version: head.version, closes: closes, to: &client.output.bytes)
        client.queueFlush()
    }

    /// 1xx: passed on, but not to HTTP/1.0 clients, and 100 only to those who asked (RFC 9110 §15.2).
    private func relayInterim(_ status: Int) {
        guard head.version != .http10, status != 100 || head.expectsContinue else { return }
        worker.borrow(&client.output)
        let requestID = self.requestID
        worker.lines.removeAll()
        worker.lines.append(name: "X-Request-ID", value: requestID.span)
        ResponseWriter.append(
            informationalTo: &client.output.bytes, head: worker.responseHead, added: worker.lines)
        client.queueFlush()
    }

    func receiveAnswerContent(_ bytes: Span<UInt8>) {
        let client = self.client!
        bytesOut &+= UInt64(bytes.count)
        worker.borrow(&client.output)
        if answerFraming == .chunked {
            ChunkWriter.append(chunkTo: &client.output.bytes, content: bytes)
        } else {
            client.output.bytes.append(contentsOf: bytes)
        }
        client.queueFlush()
        if client.output.pending > FixedBounds.pendingOutputBytes {
            upstream?.pause()
            client.noticeWhenTaken()
        }
    }

    /// The client's connection took output.
    @inline(__always)
    func clientTookOutput() { upstream?.resume() }

    /// The upstream's answer is whole. The upstream connection has already gone its own way.
    func answerEnded(trailers: TrailerSection?) {
        upstream = nil
        if answerFraming == .chunked {
            worker.borrow(&client.output)
            ChunkWriter.append(lastChunkTo: &client.output.bytes, trailers: trailers ?? TrailerSection())
        }
        end()
    }

    // MARK: 5. What goes wrong

    /// The upstream connection failed. It has closed itself.
    func upstreamFailed(_ failure: UpstreamFailure, on connection: UpstreamConnection) {
        guard upstream === connection else { return }
        upstream = nil
        if answer != .none {
            fault = .upstreamCut
            abort()
            return
        }
        if let next = replacement(for: connection, after: failure) {
            group?.counters.values.retries &+= 1
            swap(&next.output, &connection.output)
            next.output.rewind()
            retries &+= 1
            attach(next)
            if requestIsComplete { next.requestEnded() }
            return
        }
        refuse(Refusal(denial: failure.denial, after: grant))
    }

    /// Another connection, when sending again cannot carry anything out twice: no byte was sent, or a kept connection died
    /// before its first byte of an answer and the method is idempotent (RFC 9110 §9.2.2, RFC 9112 §9.3.1).
    private func replacement(for connection: UpstreamConnection, after failure: UpstreamFailure) -> UpstreamConnection? {
        guard let group else { return nil }
        switch failure {
        case .connectFailed, .connectTimedOut:
            triedServers |= connection.server.bit
        case .closedBeforeAnswer:
            guard connection.isReused, staleRetries < 2, connection.isUntouched || connection.canReplay else { return nil }
            staleRetries &+= 1
        case .answerTimedOut, .stalled, .invalidAnswer, .cut: return nil
        }
        return group.connection(excluding: triedServers, worker: worker)
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
            abort()
        }
    }

    private func dropUpstream() {
        guard let upstream else { return }
        self.upstream = nil
        upstream.abandon()
    }

    /// The answer has begun and cannot be finished.
    private func abort() {
        let client = self.client!
        finish()
        client.abortAnswer()
    }

    // MARK: 6. Our own answers

    private func refuse(_ refusal: Refusal) {
        self.refusal = refusal
        let requestID = self.requestID
        snapshot.answer(
            refusal, requestID: requestID.span, now: worker.loop.now, head: head, into: &worker.answer)
        sendLocalAnswer()
    }

    private func answerLocally(_ kind: LocalAnswerKind) {
        let requestID = self.requestID
        snapshot.answer(
            kind, head: head, requestID: requestID.span, now: worker.loop.now, into: &worker.answer)
        sendLocalAnswer()
    }

    /// Sends `worker.answer`.
    func sendLocalAnswer() {
        let client = self.client!
        answer = .begun
        status = worker.answer.status
        bytesOut = UInt64(worker.answer.body.count)
        // A client that waits for 100 may or may not send its content now: nobody can tell, so the connection ends.
        let closes =
            closesAfterAnswer || !clientKeepsAlive || (!requestIsComplete && head.expectsContinue) || worker.isDraining
        closesAfterAnswer = closes
        worker.borrow(&client.output)
        worker.writeAnswer(for: &head, closes: closes, to: &client.output.bytes)
        end()
    }

    /// A head that is no request: answered 400 or its like, and the connection ends.
    func refuseMalformed(client: ClientConnection, _ fault: RequestFault) {
        refuseUnread(client: client, .malformedRequest(reason: fault.reason, status: fault.status, detail: fault.detail))
    }

    /// A refusal before there is a head.
    func refuseUnread(client: ClientConnection, _ denial: Denial) {
        open(client)
        // What could be read of it stands in the scratch value, for the record.
        swap(&worker.requestHead, &head)
        worker.requestIDs.append(to: &requestID)
        head.expectsContinue = false
        clientKeepsAlive = false
        content.begin(.none)
        requestIsComplete = true
        closesAfterAnswer = true
        refuse(Refusal(denial: denial, client: client.facts.peer))
    }

    // MARK: 7. The end

    private func end() {
        answer = .complete
        let client = self.client!
        let closes = closesAfterAnswer || !clientKeepsAlive
        let unread = requestIsComplete ? nil : content
        dropUpstream()
        finish()
        client.exchangeEnded(closes: closes, unread: unread)
    }

    /// The access record, and back to the loop's free exchanges.
    private func finish() {
        endWaiting()
        if client.role != .admin { worker.record(self) }
        grant = nil
        group = nil
        server = nil
        refusal = nil
        client = nil
        worker.giveBack(self)
    }
}
