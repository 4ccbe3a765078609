import Core

/// Authenticators of client certificates.
extension PolicyCompiler {
    mutating func compile(_ configuration: CertificateAuthenticatorConfiguration, named name: String) {
        var entries: [CertificateAuthenticator.Entry] = []
        for entry in configuration.entries ?? [] {
            var limits: LimitList?
            if !entry.limits.isEmpty {
                limits = limitList(entry.limits)
                if limits == nil { return }
            }
            entries.append(
                CertificateAuthenticator.Entry(
                    match: entry.match, subject: entry.subject, scopes: ScopeSet(entry.scopes),
                    addresses: entry.allowedAddresses.isEmpty ? nil : AddressSet(entry.allowedAddresses),
                    limits: limits, isEnabled: entry.isEnabled))
        }
        certificateAuthenticators[name] = CertificateAuthenticator(
            name: name, subjectFrom: configuration.subjectFrom, entries: configuration.entries == nil ? nil : entries,
            scopes: ScopeSet(configuration.scopes))
    }
}
