import Core
import Policy

/// How much of an answer may be on its way through the gateway: what the upstream's side asks of the client's before it reads.
extension Exchange {
    /// How much may be read now: what the client's side has room for, and at least a little, so that an upstream without room
    /// is read once more and then paused.
    var answerRoom: Int {
        guard let client else { return FixedBounds.readBytes }
        return min(max(client.room, FixedBounds.pieceBytes / 8), FixedBounds.readBytes)
    }

    /// Counts bytes that this exchange holds to its end.
    @inline(__always)
    func hold(_ count: Int) {
        heldBytes &+= count
        worker.buffers.hold(count)
    }

    /// Refuses the request because too much is held already. What the loop has not entered yet is entered now: nothing else may
    /// happen that would.
    func turnAway() {
        worker.buffers.enter()
        let refusal = Refusal(denial: .overloaded, after: nil, retryAfter: FixedBounds.scarceRetry)
        guard client.turnAway() else { return refuse(refusal) }
        self.refusal = refusal
        finish()
    }

    /// How much may be set aside for what the upstream sends unasked, in all.
    var reservableAnswerBytes: Int { client?.reservable ?? 0 }

    func reserveAnswer(_ count: Int) { client?.reserve(count) }

    /// Bytes handed on that are not yet on their way to the client.
    var pendingAnswerBytes: Int { client?.pendingBytes ?? 0 }

    /// Has the upstream's side resumed when the client has taken what it was given.
    func noticeWhenAnswerTaken() { client?.noticeWhenTaken() }
}
