package import Core

/// Why a request is answered as it is: the decision, step by step in the order it is made in.
package struct Explanation: Sendable {
    package enum Verdict: String, Sendable {
        case passed
        case failed
        /// The decision had fallen before.
        case notReached = "not_reached"
        /// A rule in shadow mode: it lets pass what it would refuse.
        case wouldFail = "would_fail"
        /// Said for the reader; nothing was asked.
        case noted
    }

    /// One question of a step, or one fact.
    package struct Check: Sendable, Equatable {
        package var verdict: Verdict
        package var text: String
        /// The rule that asks it.
        package var rule: RuleReference?
    }

    package struct Step: Sendable, Equatable {
        package var kind: ExplanationStep
        package var verdict: Verdict
        package var checks: [Check]
    }

    /// A rule in shadow mode that would have refused the request.
    package struct WouldHave: Sendable, Equatable {
        package var rule: String
        package var reason: String
        package var place: RuleReference
    }

    /// A reading of the path that leads elsewhere than to the explanation's route.
    package struct Ambiguity: Sendable, Equatable {
        /// Nil where it leads to no route.
        package var otherRoute: String?
        package var readings: [String]
        /// The path as it is read.
        package var path: String
    }

    package enum Outcome: String, Sendable {
        case forwarded
        /// The gateway does itself what the route says.
        case performed
        case refused
        /// The gateway answers by itself, and refuses nothing.
        case answered
        /// The TLS handshake fails.
        case noConnection = "no_connection"
    }

    /// A message: what the upstream gets, or what the client gets.
    package struct Message: Sendable {
        /// `GET /users` or `HTTP/1.1 403 Forbidden`.
        package var start: String
        /// Credentials in it are masked.
        package var fields: [(name: String, value: String)]
        package var body: String
    }

    /// How the profile of the gateway's answers made the answer to a refused request.
    package struct Profile: Sendable, Equatable {
        /// A part of the answer, and the profile's entry that it comes from.
        package struct Part: Sendable, Equatable {
            /// `status`, `body`, `headers` or `challenge`: the member of the entry.
            package var name: String
            /// As in `kinds.token`.
            package var entry: String
            package var rule: RuleReference
        }

        package var name: String
        package var kind: RefusalKind
        /// Parts that no entry has are as in the built-in profile.
        package var parts: [Part]
    }

    package var file: String
    /// The request line, credentials in the query masked.
    package var request: String
    package var client: IPAddress
    package var time: WallTime
    package var steps: [Step]
    package var outcome: Outcome
    /// The gateway's own; nil where the status is the upstream's.
    package var status: Int?
    package var reason: String?
    package var route: String?
    /// Of requests refused with `path_ambiguous`.
    package var ambiguity: Ambiguity?
    package var upstream: String?
    package var credential: String?
    package var fingerprint: UInt32?
    /// What rules in shadow mode would have refused the request for.
    package var wouldHave: [WouldHave] = []
    /// The rule the decision fell by.
    package var rule: RuleReference?
    package var forwarded: Message?
    /// Nil unless the request is refused.
    package var profile: Profile?
    /// The answer of the gateway's own; of a forwarded request, what it adds to the upstream's.
    package var answer: Message
    /// What the reader should know about how far the explanation goes.
    package var remarks: [String] = []
}

extension Explanation {
    /// It is forwarded, carried out, or answered as it was meant to be.
    package var isLetThrough: Bool {
        switch outcome {
        case .forwarded, .performed: true
        case .answered: (status ?? 0) < 300
        case .refused, .noConnection: false
        }
    }
}
