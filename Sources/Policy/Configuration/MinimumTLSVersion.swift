/// The oldest version of TLS that is spoken. Nothing older than 1.2 is (RFC 8996).
package enum MinimumTLSVersion: String, Sendable, CaseIterable {
    case tls12 = "1.2"
    case tls13 = "1.3"
}
