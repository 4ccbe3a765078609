/// A version of HTTP as a connection speaks it. The raw value is its ALPN name (RFC 9113 §3.2, RFC 7301 §6).
package enum WireProtocol: String, Sendable, CaseIterable {
    case http2 = "h2"
    case http11 = "http/1.1"
}
