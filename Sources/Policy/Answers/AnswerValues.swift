import Core

/// What an answer says of a refusal.
struct AnswerValues {
    var reason: String
    var status: Int
    var title: StaticString
    var detail: StaticString
    /// What is wrong in particular, one sentence each.
    var messages: [String] = []
    /// Seconds until another try makes sense.
    var retryAfter: Int64?
    /// The Unix second of that moment.
    var reset: Int64?
}
