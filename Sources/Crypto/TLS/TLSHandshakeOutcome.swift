/// How far a handshake got.
package enum TLSHandshakeOutcome: Equatable, Sendable {
    /// Both sides agree; the facts of the connection are known.
    case complete
    /// Call again when the socket has become readable.
    case wantsRead
    /// Call again when the socket has become writable.
    case wantsWrite
    case failed(TLSFault)
}
