import Core

/// Where a route looks for credentials and who judges them.
///
/// A request shows one credential to each group: the first that is found in the order of the configuration. It decides
/// alone, whatever else is shown; what is shown and bad is never passed over. Of bearer tokens the longest prefix that
/// fits chooses the judge; one that none fits, and `Authorization` of another scheme, is for another server and goes on.
/// `any_of` and `optional` are one group. `all_of` is one for each authenticator: the first one's identity is the
/// request's, and every one confines it (`OtherCredential`).
struct CredentialPlan: Sendable {
    /// Who judges a value that begins with a prefix. A value for keys and tokens alike is a token when it has exactly two
    /// dots.
    final class Judge: Sendable {
        let prefix: LentBytes
        let keys: [KeyAuthenticator]
        let tokens: IssuerTable?
        let certificates: [CertificateAuthenticator]
        /// A realm may stand behind a bearer value, a comma between them.
        let takesRealmSuffix: Bool

        init(
            prefix: [UInt8], keys: [KeyAuthenticator], tokens: IssuerTable?, certificates: [CertificateAuthenticator]
        ) {
            self.prefix = LentBytes(bytes: prefix)
            self.keys = keys
            self.tokens = tokens
            self.certificates = certificates
            takesRealmSuffix = keys.contains(where: \.takesRealmSuffix)
        }
    }

    final class Probe: Sendable {
        let place: CredentialPlace
        /// The longest prefix first.
        let judges: [Judge]
        /// The place as the access log names it: `header:x-api-key`, `bearer`.
        let placeName: [UInt8]

        init(place: CredentialPlace, judges: [Judge]) {
            self.place = place
            placeName = place.text
            self.judges = judges.sorted { $0.prefix.count > $1.prefix.count }
        }

        /// Who judges this value.
        @inline(__always)
        func judge(of value: Span<UInt8>) -> Judge? {
            for judge in judges where judge.prefix.begin(value) { return judge }
            return nil
        }
    }

    /// A probe of a plan, by its group and its place in it.
    struct ProbeIndex: Sendable {
        /// None: nothing was shown.
        static let none = ProbeIndex(group: .max, probe: .max)

        var group: Int32
        var probe: Int32
    }

    var groups: [[Probe]] = []
    /// Nothing shown is nobody, not a refusal.
    var isOptional = false

    /// No credential is asked for.
    var isOpen: Bool { groups.isEmpty }

    /// Where a probe looks, as the access log names it; empty for none.
    func placeName(_ index: ProbeIndex) -> [UInt8] { probe(index)?.placeName ?? [] }

    /// Nil for none.
    func probe(_ index: ProbeIndex) -> Probe? {
        guard groups.indices.contains(Int(index.group)) else { return nil }
        let group = groups[Int(index.group)]
        return group.indices.contains(Int(index.probe)) ? group[Int(index.probe)] : nil
    }

    /// Fields whose values are credentials here, by their lower-case names.
    var headerNames: [String] {
        places.compactMap { place in
            switch place.kind {
            case .header: String(decoding: place.name, as: UTF8.self)
            case .bearer: "authorization"
            case .query, .cookie, .certificate: nil
            }
        }
    }

    /// The same without `Authorization` where only bearer tokens are looked for in it: not every value is one.
    var wholeHeaderNames: [String] {
        places.filter { $0.kind == .header }.map { String(decoding: $0.name, as: UTF8.self) }
    }

    /// Bearer tokens are looked for.
    var takesBearerPlace: Bool { places.contains { $0.kind == .bearer } }

    var queryNames: [[UInt8]] { places.filter { $0.kind == .query }.map(\.name) }

    var cookieNames: [[UInt8]] { places.filter { $0.kind == .cookie }.map(\.name) }

    /// Keys or tokens are taken as bearer tokens, or tokens at all.
    var takesBearer: Bool {
        groups.contains { $0.contains { $0.place.kind == .bearer || $0.judges.contains { $0.tokens != nil } } }
    }

    /// API keys are taken somewhere else than as bearer tokens.
    var takesKeys: Bool {
        groups.contains { $0.contains { $0.place.kind != .bearer && $0.judges.contains { !$0.keys.isEmpty } } }
    }

    private var places: [CredentialPlace] { groups.flatMap { $0.map(\.place) } }
}
