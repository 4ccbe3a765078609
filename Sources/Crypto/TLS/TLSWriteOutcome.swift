/// What became of bytes offered to a TLS connection.
package enum TLSWriteOutcome: Equatable, Sendable {
    /// So many bytes from the front, at least one, were encrypted and given to the kernel. Fewer than offered: the socket
    /// is full. When it has become writable, offer the rest, unchanged: a record may already be made of it.
    case bytes(Int)
    /// The socket takes nothing. A record may already be made of the bytes: when the socket has become writable, offer
    /// the same bytes again; more may follow them.
    case wantsWrite
    /// TLS itself has to read first; offer the same bytes again when the socket has become readable.
    case wantsRead
    case failed(TLSFault)
}
