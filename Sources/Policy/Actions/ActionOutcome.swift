package import Core

/// What became of a request to an action.
package enum ActionOutcome: Sendable {
    case answer(ActionAnswer)
    /// Refused; answered by the route's profile.
    /// - Parameters:
    ///   - messages: what is wrong, one sentence each, for profiles that list it.
    ///   - retryAfter: how long to wait before another try makes sense.
    case refuse(Denial, messages: [String] = [], retryAfter: Nanoseconds? = nil)
}

/// The answer of an action that was carried out.
package struct ActionAnswer: Sendable {
    package var status: Int
    package var contentType: String
    /// Fields to add.
    package var headers: [(name: String, value: String)]
    package var body: [UInt8]

    package init(
        status: Int, contentType: String = "application/json", headers: [(name: String, value: String)] = [], body: [UInt8]
    ) {
        self.status = status
        self.contentType = contentType
        self.headers = headers
        self.body = body
    }
}

/// Carries actions out. May take its time: it works on queues of its own.
package protocol ActionPerformer: AnyObject, Sendable {
    /// Calls back exactly once, on any queue.
    func perform(_ request: ActionRequest, completion: @escaping @Sendable (ActionOutcome) -> Void)
}
