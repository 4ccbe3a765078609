import Core

/// What the gateway answers for one reason, for a kind of refusal, or for all that have no entry of their own.
package struct AnswerConfiguration: Sendable, Equatable {
    /// Nil keeps the reason's own status.
    package var status: Int?
    /// An `AnswerTemplate`; nil for the default body.
    package var body: Located<String>?
    package var contentType: String?
    package var headers: [HeaderTemplate] = []
    /// Whether the answer carries WWW-Authenticate; nil follows the status (`AnswerProfile.Answer.challenge`).
    package var challenge: Located<Bool>?

    package init() {}

    /// This answer, with what it leaves out taken from another: a body together with its media type.
    func completed(by other: AnswerConfiguration) -> AnswerConfiguration {
        var result = self
        result.status = status ?? other.status
        if body == nil {
            result.body = other.body
            result.contentType = contentType ?? other.contentType
        }
        if headers.isEmpty { result.headers = other.headers }
        result.challenge = challenge ?? other.challenge
        return result
    }
}

/// The answers of one profile: to a refusal applies the entry of its reason, then those of its kind, of its kind's group and
/// of its status, then the fallback. What an entry leaves out comes from the next.
package struct ResponseProfileConfiguration: Sendable, Equatable {
    package var fallback = AnswerConfiguration()
    package var kinds: [RefusalKind: AnswerConfiguration] = [:]
    /// By the status that a reason has of itself.
    package var statuses: [Int: AnswerConfiguration] = [:]
    /// By reason identifier.
    package var reasons: [String: AnswerConfiguration] = [:]
    /// The realm of challenges; nil takes that of the file.
    package var challengeRealm: String?

    package init() {}
}

extension ResponseProfileConfiguration {
    /// What of a refusal the choice of entries depends on: equal places have equal answers.
    struct Place: Hashable, Sendable {
        /// Nil where the reason has no entry.
        var reason: String?
        var kind: RefusalKind
        /// Nil where the status has no entry.
        var status: Int?
    }

    /// One of the profile's entries.
    enum Entry: Hashable, Sendable {
        case reason(String)
        case kind(RefusalKind)
        case status(Int)
        case fallback

        /// Members below the profile.
        var path: [String] {
            switch self {
            case .reason(let name): ["reasons", name]
            case .kind(let kind): ["kinds", kind.rawValue]
            case .status(let code): ["statuses", String(code)]
            case .fallback: ["default"]
            }
        }
    }

    func place(of denial: Denial) -> Place {
        let (reason, status) = (denial.reason, denial.status)
        return Place(
            reason: reasons[reason] == nil ? nil : reason, kind: denial.kind, status: statuses[status] == nil ? nil : status)
    }

    /// Every place that a refusal can have. What a parser finds has any status.
    var places: Set<Place> {
        var places = Set(Denial.all.map(place))
        let known = Set(Denial.allReasons)
        for reason in reasons.keys.filter({ !known.contains($0) }) + [nil] {
            for status in statuses.keys.map({ $0 }) + [nil] { places.insert(Place(reason: reason, kind: .request, status: status)) }
        }
        return places
    }

    /// The entries that speak of a refusal, the most specific first.
    func entries(at place: Place) -> [(entry: Entry, answer: AnswerConfiguration)] {
        var entries: [(entry: Entry, answer: AnswerConfiguration)] = []
        if let reason = place.reason, let answer = reasons[reason] { entries.append((.reason(reason), answer)) }
        for kind in [place.kind, place.kind.group] {
            if let kind, let answer = kinds[kind] { entries.append((.kind(kind), answer)) }
        }
        if let status = place.status, let answer = statuses[status] { entries.append((.status(status), answer)) }
        return entries + [(.fallback, fallback)]
    }

    /// The whole answer to a refusal.
    func answer(at place: Place) -> AnswerConfiguration {
        entries(at: place).reduce(AnswerConfiguration()) { $0.completed(by: $1.answer) }
    }
}
