package import Core

/// An address clients connect to, and how they are spoken with.
package struct ListenerConfiguration: Sendable, Equatable {
    package var address: SocketEndpoint
    /// Peers that must (or may) begin with a PROXY protocol header.
    package var proxyProtocol: ProxyProtocolConfiguration?
    /// Nil for a listener in clear.
    package var tls: ListenerTLSConfiguration?
    /// The versions of HTTP spoken, each once, never none. With TLS they are what ALPN offers (RFC 7301), HTTP/2 first;
    /// in clear HTTP/2 is spoken with clients that know it beforehand (RFC 9113 §3.3).
    package var protocols: [WireProtocol] = [.http2, .http11]
    /// Where every request is sent instead of being served; only on a listener in clear.
    package var redirect: HTTPSRedirect?
    package var position: SourcePosition

    package init(address: SocketEndpoint, proxyProtocol: ProxyProtocolConfiguration?, position: SourcePosition) {
        self.address = address
        self.proxyProtocol = proxyProtocol
        self.position = position
    }
}

extension ListenerConfiguration {
    /// Who connects to either is treated alike, whatever certificate is shown to them.
    func isAlike(_ other: ListenerConfiguration) -> Bool {
        tls?.clientCertificates == other.tls?.clientCertificates && tls?.clientCA?.value == other.tls?.clientCA?.value
            && redirect == other.redirect && proxyProtocol == other.proxyProtocol
    }
}

package struct ProxyProtocolConfiguration: Sendable, Equatable {
    /// Only these peers may send a PROXY header; from everyone else it is a malformed request.
    package var from: [CIDRBlock]
    /// A listed peer that sends none is refused.
    package var required: Bool

    package init(from: [CIDRBlock], required: Bool) {
        self.from = from
        self.required = required
    }
}
