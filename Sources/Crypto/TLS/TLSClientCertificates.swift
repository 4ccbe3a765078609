/// Whether a server asks its clients for certificates, and who has to have issued them.
package enum TLSClientCertificates: Sendable {
    /// Not asked for.
    case none
    /// Asked for; a client may have none, but one that it shows has to be good.
    case optional(TrustStore)
    case required(TrustStore)

    package var trust: TrustStore? {
        switch self {
        case .none: nil
        case .optional(let store), .required(let store): store
        }
    }
}
