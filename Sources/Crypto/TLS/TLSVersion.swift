import COpenSSL

/// The versions of TLS that are spoken (RFC 5246, RFC 8446). Older ones are refused.
package enum TLSVersion: String, Comparable, CaseIterable, Sendable {
    case tls12 = "TLSv1.2"
    case tls13 = "TLSv1.3"

    package static func < (a: TLSVersion, b: TLSVersion) -> Bool { a.code < b.code }

    /// The number of the version on the wire.
    var code: Int32 {
        switch self {
        case .tls12: TLS1_2_VERSION
        case .tls13: TLS1_3_VERSION
        }
    }
}
