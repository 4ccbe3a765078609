import Core

/// Where a route looks for credentials and who judges them.
///
/// A request shows one credential to each group: the first that is found in the order of the configuration. It decides
/// alone, whatever else is shown; what is shown and bad is never passed over. Of bearer tokens the longest prefix that
/// fits chooses the judge. `any_of` and `optional` are one group, `all_of` is one for each authenticator, and the first
/// one's identity is the request's.
struct CredentialPlan: Sendable {
    /// A place in a request.
    enum Place: Sendable, Equatable {
        /// A field, by its lower-case name.
        case header(name: [UInt8], known: KnownField)
        /// `Authorization: Bearer`.
        case bearer
        case query(name: [UInt8])
        case cookie(name: [UInt8])
        /// The certificate of the TLS handshake.
        case certificate
    }

    /// Who judges a value that begins with `prefix`. A value for keys and tokens alike is a token when it has exactly
    /// two dots.
    struct Judge: Sendable {
        var prefix: [UInt8]
        var keys: [KeyAuthenticator]
        var tokens: IssuerTable?
        var certificates: [CertificateAuthenticator] = []
    }

    struct Probe: Sendable {
        var place: Place
        /// The longest prefix first.
        var judges: [Judge]

        /// One of the judges takes values that begin so.
        func concerns(_ value: Span<UInt8>) -> Bool {
            for judge in judges where value.hasPrefix(judge.prefix.span) { return true }
            return false
        }
    }

    var groups: [[Probe]] = []
    /// Nothing shown is nobody, not a refusal.
    var isOptional = false

    /// No credential is asked for.
    var isOpen: Bool { groups.isEmpty }

    /// Fields whose values are credentials here, by their lower-case names.
    var headerNames: [String] {
        places.compactMap { place in
            switch place {
            case .header(let name, _): String(decoding: name, as: UTF8.self)
            case .bearer: "authorization"
            case .query, .cookie, .certificate: nil
            }
        }
    }

    var queryNames: [[UInt8]] {
        places.compactMap { place in
            if case .query(let name) = place { return name }
            return nil
        }
    }

    var cookieNames: [[UInt8]] {
        places.compactMap { place in
            if case .cookie(let name) = place { return name }
            return nil
        }
    }

    /// Keys or tokens are taken as bearer tokens, or tokens at all.
    var takesBearer: Bool {
        groups.contains { $0.contains { $0.place == .bearer || $0.judges.contains { $0.tokens != nil } } }
    }

    /// API keys are taken somewhere else than as bearer tokens.
    var takesKeys: Bool {
        groups.contains { $0.contains { $0.place != .bearer && $0.judges.contains { !$0.keys.isEmpty } } }
    }

    private var places: [Place] { groups.flatMap { $0.map(\.place) } }
}

extension CredentialSource {
    /// The place and, for bearer tokens, the prefix.
    var place: (place: CredentialPlan.Place, prefix: [UInt8]) {
        switch self {
        case .header(let name):
            let lowercase = name.utf8.map(\.lowercasedASCII)
            return (.header(name: lowercase, known: KnownField.named(lowercase.span)), [])
        case .bearer(let prefix): return (.bearer, Array(prefix.utf8))
        case .query(let name): return (.query(name: Array(name.utf8)), [])
        case .cookie(let name): return (.cookie(name: Array(name.utf8)), [])
        }
    }
}
