/// Whether the peer will learn that no more is sent.
package enum TLSShutdownOutcome: Equatable, Sendable {
    /// close_notify is with the kernel.
    case sent
    /// The socket is full; call again when it has become writable, or close without it.
    case wantsWrite
    /// It cannot be sent: the handshake is not over, or the connection is broken.
    case impossible
}
