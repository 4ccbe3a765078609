/// Why a TLS context cannot be made of its settings.
package enum TLSContextError: Error, Equatable, Sendable {
    /// A server needs one certificate at least.
    case noCertificate
    /// A client certificate is to be asked for, and the authorities are those of the system or none.
    case noClientAuthorities
    /// The certificate at this index of the settings.
    case certificate(index: Int, TLSCertificateError)
    /// OpenSSL has no memory, or none of the algorithms that are needed.
    case unavailable
}

extension TLSContextError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .noCertificate: "there is no certificate"
        case .noClientAuthorities: "client certificates are asked for, and no authority that issues them is named"
        case .certificate(_, let error): error.description
        case .unavailable: "OpenSSL cannot make a TLS context"
        }
    }
}
