import Core
import IO
import Policy

/// What the gateway answers itself: refusals, and requests that end here.
extension Exchange {
    func refuse(_ refusal: Refusal) {
        self.refusal = refusal
        requestID.withSpan { requestID in
            snapshot.answer(
                refusal, requestID: requestID, now: worker.loop.now, head: head,
                isForPages: client.role == .traffic, into: &worker.answer)
        }
        sendLocalAnswer()
    }

    /// Fills in the answer of a listener that redirects; false when the request is to be served after all.
    func redirect(to target: HTTPSRedirect) -> Bool {
        requestID.withSpan {
            snapshot.redirect(
                head, to: target, connection: facts, requestID: $0, now: worker.loop.now, into: &worker.answer)
        }
    }

    func answerLocally(_ kind: LocalAnswerKind) {
        if case .preflight(let answered) = kind { preflight = answered }
        requestID.withSpan { requestID in
            snapshot.answer(
                kind, head: head, requestID: requestID, now: worker.loop.now, into: &worker.answer)
        }
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
            closesAfterAnswer || !clientKeepsAlive || (!requestIsComplete && head.expectsContinue) || client.isEnding
        closesAfterAnswer = closes
        client.sendAnswer(for: &head, closes: closes)
        end()
    }

    /// A refusal before there is a head. What could be read of it stands in `worker.requestHead`, which is empty
    /// otherwise.
    func refuseUnread(client: any ClientStream, _ denial: Denial) {
        open(client)
        swap(&worker.requestHead, &head)
        worker.requestIDs.append(to: &requestID)
        head.expectsContinue = false
        clientKeepsAlive = false
        requestIsComplete = true
        closesAfterAnswer = true
        refuse(Refusal(denial: denial, client: facts.peer))
    }

    /// A head, in `worker.requestHead`, that is no request, and that nothing can be answered to: only the record tells of it.
    func dropUnread(client: any ClientStream) {
        open(client)
        swap(&worker.requestHead, &head)
        worker.requestIDs.append(to: &requestID)
        fault = .streamMalformed
        finish()
    }
}
