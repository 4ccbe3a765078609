import Core

/// How the certificates in use are shown to operators.
enum CertificateExpiryText {
    static func append(_ certificates: [CertificateExpiry], to page: inout PrometheusText) {
        let name: StaticString = "portcullis_certificate_expiry_timestamp_seconds"
        page.family(name, .gauge, "When a certificate that the gateway shows ends.")
        for (index, certificate) in certificates.enumerated() {
            // Two listeners may show one certificate, but one listener the same twice is one sample.
            let isShown = certificates[..<index].contains {
                $0.user == certificate.user && $0.source == certificate.source
            }
            if isShown { continue }
            page.sample(
                name, [("used_by", certificate.user), ("source", certificate.source)], certificate.notAfter.seconds)
        }
    }

    static func append(json certificates: [CertificateExpiry], to out: inout [UInt8]) {
        out.append("[")
        for (index, certificate) in certificates.enumerated() {
            if index > 0 { out.append(",") }
            out.append("{\"used_by\":")
            out.append(jsonString: certificate.user)
            out.append(",\"source\":")
            out.append(jsonString: certificate.source)
            out.append(",\"subject\":")
            out.append(jsonString: certificate.subject)
            out.append(",\"expires_at\":\"")
            out.append(rfc3339: certificate.notAfter)
            out.append("\"}")
        }
        out.append("]")
    }
}
