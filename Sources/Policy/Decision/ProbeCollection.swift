import Core

/// Gathers the sources of a group of authenticators into probes: each place once, where it is named first.
struct ProbeCollection {
    private struct Entry {
        var place: CredentialPlan.Place
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
        var probes: [CredentialPlan.Probe] = []
        for entry in entries {
            let tokens = entry.verifiers.isEmpty ? nil : try IssuerTable(entry.verifiers)
            let judge = CredentialPlan.Judge(prefix: entry.prefix, keys: entry.keys, tokens: tokens, certificates: entry.certificates)
            if let index = probes.firstIndex(where: { $0.place == entry.place }) {
                probes[index].judges.append(judge)
            } else {
                probes.append(CredentialPlan.Probe(place: entry.place, judges: [judge]))
            }
        }
        for index in probes.indices { probes[index].judges.sort { $0.prefix.count > $1.prefix.count } }
        return probes
    }

    private mutating func entry(for source: CredentialSource) -> Int {
        let (place, prefix) = source.place
        return entry(at: place, prefix: prefix)
    }

    private mutating func entry(at place: CredentialPlan.Place, prefix: [UInt8]) -> Int {
        if let index = entries.firstIndex(where: { $0.place == place && $0.prefix == prefix }) { return index }
        entries.append(Entry(place: place, prefix: prefix))
        return entries.count - 1
    }
}
