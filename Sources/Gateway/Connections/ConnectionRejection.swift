import Crypto
import HTTP2

/// Why a client's connection ended before its first request, other than by the client's own wish.
enum ConnectionRejection: Equatable, Sendable {
    /// The listener requires a PROXY protocol header of this peer, and something else came.
    case proxyHeaderMissing
    case proxyHeaderMalformed
    /// The peer closed inside its PROXY protocol header.
    case proxyHeaderIncomplete
    case proxyHeaderTimeout
    case tls(TLSFault)
    /// The handshake did not end within `handshake_timeout`.
    case tlsTimeout
    case http2(SessionFailure)
    /// The preface or the first header block did not end within `head_timeout`.
    case http2Timeout
    /// Not a byte came in time.
    case silent
    /// `bounds.connections` is reached.
    case connectionLimit
    /// `bounds.connections_per_address` is reached.
    case addressLimit
    /// Only descriptors that are kept for operators and upstreams are left.
    case descriptorLimit
    /// The system has no memory to watch the socket with.
    case systemLimit

    /// The stable identifier in metrics and messages. Their number is bounded; none holds anything a client chooses.
    var reason: String {
        switch self {
        case .proxyHeaderMissing: "proxy_header_missing"
        case .proxyHeaderMalformed: "proxy_header_malformed"
        case .proxyHeaderIncomplete: "proxy_header_incomplete"
        case .proxyHeaderTimeout: "proxy_header_timeout"
        case .tls(let fault): "tls_\(fault.label)"
        case .tlsTimeout: "tls_timeout"
        case .http2(let failure): failure.reason.description
        case .http2Timeout: "http2_timeout"
        case .silent: "silent"
        case .connectionLimit: "connection_limit"
        case .addressLimit: "address_limit"
        case .descriptorLimit: "descriptor_limit"
        case .systemLimit: "system_limit"
        }
    }

    /// Operators are told of it. Browsers open connections ahead and balancers probe with bare ones: these are only counted.
    var isTold: Bool { self != .silent }
}

extension ConnectionRejection: CustomStringConvertible {
    var description: String {
        switch self {
        case .proxyHeaderMissing: "the required PROXY protocol header is missing"
        case .proxyHeaderMalformed: "the PROXY protocol header is malformed"
        case .proxyHeaderIncomplete: "the connection ended inside the PROXY protocol header"
        case .proxyHeaderTimeout: "the PROXY protocol header did not come in time"
        case .tls(let fault): "TLS handshake failed: \(fault)"
        case .tlsTimeout: "the TLS handshake was not finished in time"
        case .http2(let failure): "HTTP/2 failed: \(failure.reason)"
        case .http2Timeout: "the HTTP/2 preface or the first request was not finished in time"
        case .silent: "nothing was sent in time"
        case .connectionLimit: "bounds.connections is reached"
        case .addressLimit: "bounds.connections_per_address is reached"
        case .descriptorLimit: "too few file descriptors are left"
        case .systemLimit: "the system cannot watch the socket"
        }
    }
}
