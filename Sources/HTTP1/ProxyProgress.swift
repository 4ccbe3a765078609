package import Core

/// How far a PROXY protocol header has come.
package enum ProxyProgress: Equatable, Sendable {
    /// What is there may become a header; present it again with more behind it.
    case incomplete
    /// The first bytes cannot begin a PROXY header of either version: the peer speaks something else.
    case absent
    /// The header took `byteCount` bytes. `source` is the client; nil when the header says that the peer itself is
    /// (version 2 LOCAL), or that nobody knows (version 1 UNKNOWN, version 2 UNSPEC).
    case complete(source: SocketEndpoint?, byteCount: Int)
    /// A header begun as one of the two versions but wrong. The connection is of no use.
    case malformed
}
