import Core

/// Gathers the sources of a group of authenticators into probes: each place once, where it is named first.
struct ProbeCollection {
    private struct Entry {
        var place: CredentialPlace
        var prefix: [UInt8]
        var keys: [KeyAuthenticator] = []
        var verifiers: [JWTVerifier] = []
        var certificates: [CertificateAuthenticator] = []
    }

    private var entries: [Entry] = []

    mutating func add(_ source: CredentialSource, keys: KeyAuthenticator) {
        let index = entry(for: source)
        if !entries[index].keys.contains(where: { $0 === keys }) { entries[index].keys.append(keys) }
    }

    mutating func add(_ source: CredentialSource, tokens: JWTVerifier) {
        let index = entry(for: source)
        if !entries[index].verifiers.contains(where: { $0 === tokens }) { entries[index].verifiers.append(tokens) }
    }

    mutating func add(_ certificates: CertificateAuthenticator) {
        let index = entry(at: .certificate, prefix: [])
        if !entries[index].certificates.contains(where: { $0 === certificates }) {
            entries[index].certificates.append(certificates)
        }
    }

    /// One probe for each place; of several prefixes in one place the longest is tried first.
    func probes() throws(IssuerTable.Conflict) -> [CredentialPlan.Probe] {
        var places: [(place: CredentialPlace, judges: [CredentialPlan.Judge])] = []
        for entry in entries {
            let tokens = entry.verifiers.isEmpty ? nil : try IssuerTable(entry.verifiers)
            let judge = CredentialPlan.Judge(
                prefix: entry.prefix, keys: entry.keys, tokens: tokens, certificates: entry.certificates)
            if let index = places.firstIndex(where: { $0.place == entry.place }) {
                places[index].judges.append(judge)
            } else {
                places.append((entry.place, [judge]))
            }
        }
        return places.map { CredentialPlan.Probe(place: $0.place, judges: $0.judges) }
    }

    private mutating func entry(for source: CredentialSource) -> Int {
        let (place, prefix) = source.place
        return entry(at: place, prefix: prefix)
    }

    private mutating func entry(at place: CredentialPlace, prefix: [UInt8]) -> Int {
        if let index = entries.firstIndex(where: { $0.place == place && $0.prefix == prefix }) { return index }
        entries.append(Entry(place: place, prefix: prefix))
        return entries.count - 1
    }
}
