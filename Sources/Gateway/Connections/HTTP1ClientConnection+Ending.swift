import Core
import HTTP1
import IO
import Policy

/// What comes after an exchange: the next request, what is left of the last one's content, or the end.
extension HTTP1ClientConnection {
    func exchangeEnded(closes: Bool) {
        exchange = nil
        isPaused = false
        owesNotice = false
        reserved = 0
        endsTunnelOutput = false
        deadline = .distantFuture
        dropsContent = !content.isComplete
        lingerDue = worker.loop.now.instant.advanced(by: lingerLimit)
        if closes {
            // What is queued must be taken in time, now that no exchange watches for it.
            if isBlocked { setDeadline(after: phase == .tunnel ? FixedBounds.lingerTimeout : worker.bounds.bodyTimeout) }
            phase = .discarding
            content.begin(.untilClose)
            closesAfterFlush = true
        } else if !content.isComplete {
            phase = .discarding
            lingerOn()
        } else {
            phase = .head
            startIdling()
        }
        mustResume = true
        queueFlush()
    }

    func abortAnswer(_ ending: AnswerCut) {
        switch ending {
        case .now:
            exchange = nil
            phase = .discarding
            close(resets: true)
        case .afterQueued(let showsLength):
            if !showsLength { resetDue = .distantFuture }
            exchangeEnded(closes: true)
        }
    }

    /// Resets the connection when the client's side has acknowledged what was written: a reset takes back what is on its way
    /// (RFC 9293 §3.10.7.4). It is looked for now and then, and no longer than `body_timeout` without progress.
    func resetWhenTaken() {
        let now = worker.loop.now.instant
        let waiting = Sockets.unacknowledgedBytes(descriptor)
        if waiting != unacknowledged {
            unacknowledged = waiting
            resetDue = now.advanced(by: worker.bounds.bodyTimeout)
        }
        guard waiting > 0, let resetDue, now < resetDue else { return close(resets: true) }
        // Less and less often when the client takes nothing.
        let waited = worker.bounds.bodyTimeout &- resetDue.since(now)
        setDeadline(after: min(max(FixedBounds.resetInterval, waited / 4), .seconds(1)))
    }

    /// The next deadline is the one between requests.
    func startIdling() {
        isIdleDeadline = true
        let idle = listener.isClosed ? worker.drainIdleGrace : worker.bounds.idleTimeout
        // While the last answer is still being taken, the client is not idle.
        setDeadline(after: isBlocked ? worker.bounds.bodyTimeout : idle)
    }

    /// A client that never sent anything is idle too; what is only read and dropped is not waited for.
    func drain() {
        if phase == .head, input.isEmpty {
            startIdling()
        } else if phase == .lingering || phase == .discarding && output.pending == 0 && resetDue == nil {
            lingerDue = min(lingerDue, worker.loop.now.instant.advanced(by: worker.drainIdleGrace))
            if deadline > lingerDue { setDeadline(at: lingerDue) }
        }
    }

    // MARK: Dropping content

    /// How long content may be read and dropped: the end of the gateway does not wait for it.
    private var lingerLimit: Nanoseconds {
        dropsContent && !listener.isClosed ? worker.bounds.lingerTimeout : FixedBounds.lingerTimeout
    }

    /// Waits for more to drop.
    func lingerOn() {
        let silence = phase == .discarding ? worker.bounds.bodyTimeout : FixedBounds.lingerSilence
        setDeadline(at: min(worker.loop.now.instant.advanced(by: silence), lingerDue))
    }

    /// Reads and drops what is left of a request's content; returns how many of `bytes` it took.
    func discardContent(_ bytes: Span<UInt8>) -> Int {
        var index = 0
        while true {
            let piece: ChunkPiece?
            do throws(FramingFault) { piece = try content.next(bytes, from: &index) } catch {
                dropsContent = true
                closesAfterFlush = true
                queueFlush()
                return bytes.count
            }
            if content.isComplete {
                phase = .head
                startIdling()
                return index
            }
            guard piece != nil else {
                if !closesAfterFlush { lingerOn() }
                return index
            }
        }
    }

    // MARK: Refusing what never became an exchange

    func refuseMalformed(_ fault: RequestFault) {
        refuseBroken(.malformedRequest(reason: fault.reason, status: fault.status, detail: fault.detail))
    }

    /// Answers bytes that are no request.
    func refuseBroken(_ denial: Denial) {
        phase = .exchange
        // Where the request would end, or whether it has content, is not known.
        content.begin(denial == .headTimeout ? .none : .untilClose)
        // What stands there may be the head of somebody else, who was read in between.
        worker.requestHead.removeAll()
        let exchange = worker.takeExchange()
        self.exchange = exchange
        exchange.refuseUnread(client: self, denial)
    }

    // MARK: The end

    /// Everything is written and the connection closes: reads on for a while, so that the client gets to see the answer.
    func beginLingering() {
        closesAfterFlush = false
        if sawPeerClose, !isReadable {
            close()
            return
        }
        phase = .lingering
        input = []
        endWriting()
        if dropsContent {
            lingerOn()
        } else {
            setDeadline(after: FixedBounds.lingerTimeout)
        }
        receive()
    }

    func cut() { close(because: .drainTimedOut, resets: phase == .exchange || phase == .tunnel) }

    func close(because fault: ExchangeFault = .clientLeft, resets: Bool = false) {
        if !isClosed { exchange?.notTaken(output.pending) }
        // What is not written yet is missing: an end of the stream must not make an answer without a length look whole.
        guard closeSocket(resets: resets || resetDue != nil || output.pending > 0) else { return }
        phase = .closed
        if let exchange {
            self.exchange = nil
            exchange.clientLeft(fault)
        }
        worker.clientClosed(self)
    }
}
