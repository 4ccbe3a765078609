import Core

/// How the gateway's own answers look: status, headers and body, chosen by reason, kind of refusal and status. The built-in
/// one, "problem", is RFC 9457.
final class AnswerProfile: Sendable {
    /// The answer to one refusal.
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
        /// Whether WWW-Authenticate is sent. Nil sends it with every 401 (RFC 9110 §15.5.2), and with the other statuses that
        /// refusals have of themselves where RFC 6750 §3.1 has an error for them; none with a status that the profile chose.
        var challenge: Bool?
        /// `headers` has a WWW-Authenticate, which is sent in place of the gateway's.
        var replacesChallenge = false
    }

    let name: String
    /// The realm of challenges; nil takes that of the file.
    let challengeRealm: [UInt8]?
    private let fallback: Answer
    /// Only those that differ from the fallback.
    private let answers: [ResponseProfileConfiguration.Place: Answer]
    private let configuration: ResponseProfileConfiguration

    /// The built-in profile.
    static let problem = AnswerProfile(
        name: Configuration.builtInProfile, fallback: Answer(), answers: [:], of: ResponseProfileConfiguration())

    init(
        name: String, fallback: Answer, answers: [ResponseProfileConfiguration.Place: Answer],
        of configuration: ResponseProfileConfiguration
    ) {
        self.name = name
        self.fallback = fallback
        self.answers = answers
        self.configuration = configuration
        challengeRealm = configuration.challengeRealm.map { Array($0.utf8) }
    }

    func answer(for denial: Denial) -> Answer {
        answers.isEmpty ? fallback : answers[configuration.place(of: denial)] ?? fallback
    }

    /// The entries of the profile that apply to a denial, the most specific first.
    func entries(for denial: Denial) -> [(entry: ResponseProfileConfiguration.Entry, answer: AnswerConfiguration)] {
        configuration.entries(at: configuration.place(of: denial))
    }
}
