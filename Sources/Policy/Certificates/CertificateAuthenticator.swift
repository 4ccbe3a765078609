import Core

/// Judges the certificates that clients show in the TLS handshake. That a trusted authority vouches for them has been
/// found there. Immutable, shared by all loops.
final class CertificateAuthenticator: Sendable {
    typealias Part = CertificateAuthenticatorConfiguration.Part

    /// A compiled entry.
    struct Entry: Sendable {
        var match: [Part: [String]]
        var subject: String?
        var scopes: ScopeSet
        var addresses: AddressSet?
        var limits: LimitList?
        var isEnabled: Bool
    }

    let name: String
    private let subjectFrom: Part
    /// Nil lets in every certificate.
    private let entries: [Entry]?
    /// Entries by a value of the one part they are looked up by, each list in their order.
    private let index: [Part: [String: [Int]]]
    /// Of every certificate, where there are no entries.
    private let scopes: ScopeSet
    private let mayHaveScopes: Bool

    init(name: String, subjectFrom: Part, entries: [Entry]?, scopes: ScopeSet) {
        self.name = name
        self.subjectFrom = subjectFrom
        self.entries = entries
        self.scopes = scopes
        mayHaveScopes = !scopes.isEmpty || (entries ?? []).contains { !$0.scopes.isEmpty }
        var index: [Part: [String: [Int]]] = [:]
        for (place, entry) in (entries ?? []).enumerated() {
            guard let part = Self.selectivity.first(where: { entry.match[$0] != nil }) else { continue }
            for value in entry.match[part] ?? [] { index[part, default: [:]][value, default: []].append(place) }
        }
        self.index = index
    }

    /// The parts, those few certificates share first.
    private static let selectivity: [Part] = [.fingerprint, .uri, .dnsName, .email, .commonName, .subject]

    /// Whom the certificate stands for: the first entry that fits decides. A part that is compared byte by byte, and a
    /// subject that has to be there.
    func judge(_ certificate: ClientCertificate, now: WallTime) -> CertificateVerdict {
        if now >= certificate.notAfter { return .refused(.certificateExpired) }
        guard let entries else {
            return identity(certificate, subject: nil, scopes: scopes, addresses: nil, limits: nil)
        }
        var first = entries.count
        for (part, places) in index {
            for value in Self.values(of: part, certificate) {
                for place in places[value] ?? [] where place < first && Self.fits(certificate, entries[place]) {
                    first = place
                }
            }
        }
        guard first < entries.count, entries[first].isEnabled else { return .refused(.credentialUnknown) }
        let entry = entries[first]
        return identity(
            certificate, subject: entry.subject, scopes: entry.scopes, addresses: entry.addresses, limits: entry.limits)
    }

    private func identity(
        _ certificate: ClientCertificate, subject: String?, scopes: ScopeSet, addresses: AddressSet?,
        limits: LimitList?
    ) -> CertificateVerdict {
        let subject = subject ?? Self.values(of: subjectFrom, certificate).first ?? ""
        // A name nobody could tell from nobody's, or that could not stand in a log.
        guard !subject.isEmpty, !subject.hasControls else { return .refused(.credentialUnknown) }
        return .accepted(
            CertificateIdentity(
                certificate, authenticator: name, subject: subject, scopes: scopes, addresses: addresses, limits: limits,
                mayHaveScopes: mayHaveScopes))
    }

    private static func fits(_ certificate: ClientCertificate, _ entry: Entry) -> Bool {
        entry.match.allSatisfy { part, wanted in
            values(of: part, certificate).contains(where: wanted.containsExactly)
        }
    }

    private static func values(of part: Part, _ certificate: ClientCertificate) -> [String] {
        switch part {
        case .subject: certificate.subject.isEmpty ? [] : [certificate.subject]
        case .commonName: certificate.commonName.map { [$0] } ?? []
        case .dnsName: certificate.dnsNames
        case .uri: certificate.uris
        case .email: certificate.emails
        case .fingerprint: [certificate.fingerprintText]
        }
    }
}

/// What a certificate turned out to be.
enum CertificateVerdict {
    case accepted(CertificateIdentity)
    case refused(Denial)
}
