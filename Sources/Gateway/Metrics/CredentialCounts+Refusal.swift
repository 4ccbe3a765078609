import Core
import Policy

extension CredentialCounts {
    /// Counts a refusal under whoever was refused, if it is one that tells of somebody.
    mutating func count(_ refusal: Refusal) {
        guard refusal.denial == .rateLimited || refusal.denial.countsAsFailure else { return }
        var name: [UInt8] = []
        if !refusal.identity.appendCredential(to: &name), !refusal.identity.appendSubject(to: &name) {
            if let fingerprint = refusal.fingerprint {
                name.append("fingerprint ")
                name.append(hexadecimal: fingerprint)
            } else if let client = refusal.client {
                client.accountable.append(to: &name)
            }
        }
        guard !name.isEmpty else { return }
        if refusal.denial == .rateLimited { limited.add(name) } else { failing.add(name) }
    }
}
