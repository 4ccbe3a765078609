import Policy

/// An answer that cannot be finished.
extension Exchange {
    /// The answer has begun and cannot be finished.
    func abort(_ ending: AnswerCut) {
        let client = self.client!
        if case .now = ending { notTaken(client.pendingBytes) }
        finish()
        client.abortAnswer(ending)
    }

    /// So much of what was queued for the client never went to its socket.
    func notTaken(_ count: Int) { bytesOut -= min(bytesOut, UInt64(clamping: count)) }
}
