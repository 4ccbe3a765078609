import COpenSSL

/// What peers are likely to hold against a certificate that can be used as it is.
package enum CertificateFlaw: Hashable, Sendable {
    /// It names no host and no address: peers look at subject alternative names alone (RFC 9110 §4.3.4).
    case noNames
    /// Its extensions say that it is for something else.
    case notFor(CertificateUse)
    /// It is an authority's own, whose key belongs elsewhere.
    case authority
    /// A certificate of the file was not issued by the one after it, counted from 1.
    case chainBroken(after: Int)
}

/// What a certificate proves, and to whom.
package enum CertificateUse: Hashable, Sendable {
    /// A listener's, to clients.
    case server
    /// The gateway's, to upstreams.
    case client
}

extension CertificateFlaw: CustomStringConvertible {
    package var description: String {
        switch self {
        case .noNames: "has no subject alternative names: clients will not take it for any host"
        case .notFor(.server): "is not meant for servers: clients will refuse it"
        case .notFor(.client): "is not meant for clients: servers will refuse it"
        case .authority: "is that of a certificate authority"
        case .chainBroken(let place):
            "has a chain that leads nowhere: certificate \(place) of the file was not issued by certificate \(place + 1)"
        }
    }
}

extension TLSCertificate {
    /// Empty for a certificate that peers who trust its authority will take.
    package func flaws(for use: CertificateUse) -> [CertificateFlaw] {
        // What OpenSSL leaves in its queue is of no interest beyond the answers.
        defer { ERR_clear_error() }
        var flaws: [CertificateFlaw] = []
        let isSelfSigned = leaf.isIssued(by: leaf)
        if use == .server, facts.dnsNames.isEmpty, facts.addresses.isEmpty { flaws.append(.noNames) }
        let purpose = use == .server ? X509_PURPOSE_SSL_SERVER : X509_PURPOSE_SSL_CLIENT
        if unsafe X509_check_purpose(leaf.pointer, purpose, 0) != 1 { flaws.append(.notFor(use)) }
        // One that vouches for itself, as they are made for trying things out, is an authority for want of another.
        if !isSelfSigned, unsafe X509_check_ca(leaf.pointer) == 1 { flaws.append(.authority) }
        var issued = leaf
        for (index, issuer) in intermediates.enumerated() {
            guard issued.isIssued(by: issuer) else {
                flaws.append(.chainBroken(after: index + 1))
                break
            }
            issued = issuer
        }
        return flaws
    }
}

extension X509Certificate {
    /// By names and key identifiers; no signature is verified.
    fileprivate func isIssued(by issuer: X509Certificate) -> Bool {
        unsafe X509_check_issued(issuer.pointer, pointer) == X509_V_OK
    }
}
