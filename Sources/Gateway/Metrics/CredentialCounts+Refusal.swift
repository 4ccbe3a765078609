import Policy

extension CredentialCounts {
    /// Counts a refusal under whoever was refused, if it is one that tells of somebody.
    mutating func count(_ refusal: Refusal) {
        guard refusal.denial == .rateLimited || refusal.denial.isBadCredential else { return }
        let name = CallerName.of(refusal.identity, fingerprint: refusal.fingerprint, client: refusal.client)
        guard !name.isEmpty else { return }
        if refusal.denial == .rateLimited { limited.add(name) } else { failing.add(name) }
    }
}
