package import Core

/// A named group of servers, all spoken with in the same way.
package struct UpstreamConfiguration: Sendable, Equatable {
    package enum HostPolicy: Sendable, Equatable {
        /// The client's Host goes on (default).
        case keep
        /// The server's own host and port.
        case server
        case literal(String)
    }

    /// How the servers are spoken with. The raw value begins their URLs.
    package enum Scheme: String, Sendable, CaseIterable {
        /// HTTP/1.1 in clear.
        case http
        /// TLS, and the version of HTTP that ALPN chooses.
        case https
        /// HTTP/2 in clear, known beforehand (RFC 9113 §3.3).
        case h2c
        /// HTTP/2 over TLS and nothing else.
        case h2

        package var isSecure: Bool {
            switch self {
            case .http, .h2c: false
            case .https, .h2: true
            }
        }

        /// The port of a URL without one.
        package var defaultPort: UInt16 { isSecure ? 443 : 80 }
    }

    package struct Server: Sendable, Hashable {
        /// An IP address without brackets, or a name in lower case.
        package var host: String
        package var port: UInt16

        package init(host: String, port: UInt16) {
            self.host = host
            self.port = port
        }
    }

    package var servers: [Located<Server>]
    /// Of all servers.
    package var scheme = Scheme.http
    /// The versions of HTTP spoken, in the order ALPN offers them: one of them unless the scheme is `https`.
    package var protocols: [WireProtocol] = [.http11]
    /// There exactly when the scheme is one of TLS.
    package var tls: UpstreamTLSConfiguration?
    package var connectTimeout: Nanoseconds = .seconds(2)
    /// From the end of the request until the response head.
    package var responseTimeout: Nanoseconds = .seconds(30)
    /// Without a byte either way while a body is on its way.
    package var bodyTimeout: Nanoseconds = .seconds(60)
    /// A pooled connection unused this long is closed.
    package var idleTimeout: Nanoseconds = .seconds(60)
    /// Time between PING frames on a connection of HTTP/2 (RFC 9113 §6.7); nil for none.
    package var keepAlivePing: Nanoseconds?
    /// What old servers write over HTTP/1.1 against the rules of answers is taken where it can be mended.
    package var isLenient = false
    /// Idle connections kept per server and loop.
    package var idleConnectionLimit = 512
    /// Open connections per server and loop, busy ones included; above it requests get 503.
    package var connectionLimit = 10_000
    /// Content of a request kept so that it can be sent again, in bytes.
    package var retryByteLimit = 65_536
    package var host = HostPolicy.keep
    package var position: SourcePosition

    package init(servers: [Located<Server>], position: SourcePosition) {
        self.servers = servers
        self.position = position
    }
}
