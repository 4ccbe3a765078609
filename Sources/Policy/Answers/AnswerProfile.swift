import Core

/// How the gateway's own answers look: status, headers and body by reason. The built-in one, "problem", is RFC 9457.
final class AnswerProfile: Sendable {
    /// The answer for one reason.
    struct Answer: Sendable {
        /// Nil keeps the denial's own.
        var status: Int?
        /// Nil takes the body of RFC 9457.
        var body: AnswerBody?
        /// Of that body.
        var contentType: [UInt8] = []
        var headers: [(name: [UInt8], value: AnswerBody)] = []
    }

    private let fallback: Answer
    private let reasons: [String: Answer]

    /// The built-in profile.
    static let problem = AnswerProfile(fallback: Answer(), reasons: [:])

    init(fallback: Answer, reasons: [String: Answer]) {
        self.fallback = fallback
        self.reasons = reasons
    }

    func answer(for denial: Denial) -> Answer { reasons.isEmpty ? fallback : reasons[denial.reason] ?? fallback }
}
