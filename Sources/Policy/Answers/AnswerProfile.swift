import Core

/// How the gateway's own answers look: status, headers and body by reason, or by the status the reason has of itself. The
/// built-in one, "problem", is RFC 9457.
final class AnswerProfile: Sendable {
    /// The answer for one reason.
    struct Answer: Sendable {
        /// Nil keeps the denial's own.
        var status: Int?
        /// Nil takes the body of RFC 9457.
        var body: AnswerBody?
        /// Of that body.
        var contentType: [UInt8] = []
        /// The answer says that its type is not to be guessed (`X-Content-Type-Options`), unless a header of its own does.
        var forbidsSniffing = true
        var headers: [(name: [UInt8], value: AnswerBody)] = []
    }

    private let fallback: Answer
    private let statuses: [Int: Answer]
    private let reasons: [String: Answer]

    /// The built-in profile.
    static let problem = AnswerProfile(fallback: Answer(), statuses: [:], reasons: [:])

    init(fallback: Answer, statuses: [Int: Answer], reasons: [String: Answer]) {
        self.fallback = fallback
        self.statuses = statuses
        self.reasons = reasons
    }

    func answer(for denial: Denial) -> Answer { reasons[denial.reason] ?? statuses[denial.status] ?? fallback }
}
