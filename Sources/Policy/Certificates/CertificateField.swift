import Core

/// What a template can show of a client certificate.
package enum CertificateField: String, Sendable, CaseIterable {
    case subject
    case commonName = "common_name"
    case dnsNames = "san_dns"
    case uris = "san_uri"
    case emails = "san_email"
    case issuer
    case serial
    case fingerprint

    /// Appends the value, of several names all of them joined by ","; false when the certificate has none.
    func append(of certificate: ClientCertificate, _ form: ValueTemplate.Form, to output: inout [UInt8]) -> Bool {
        switch self {
        case .subject: ValueTemplate.append(certificate.subject, form, to: &output)
        case .commonName: ValueTemplate.append(certificate.commonName, form, to: &output)
        case .dnsNames: Self.append(certificate.dnsNames, form, to: &output)
        case .uris: Self.append(certificate.uris, form, to: &output)
        case .emails: Self.append(certificate.emails, form, to: &output)
        case .issuer: ValueTemplate.append(certificate.issuer, form, to: &output)
        case .serial: ValueTemplate.append(certificate.serial, form, to: &output)
        case .fingerprint: ValueTemplate.append(certificate.fingerprintText, form, to: &output)
        }
    }

    private static func append(_ names: [String], _ form: ValueTemplate.Form, to output: inout [UInt8]) -> Bool {
        for (index, name) in names.enumerated() {
            if index > 0 { output.append(0x2C) }
            ValueTemplate.append(name.utf8.span, form, to: &output, isElement: true)
        }
        return !names.isEmpty
    }
}
