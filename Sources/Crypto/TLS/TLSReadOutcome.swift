/// What reading a TLS connection gave.
package enum TLSReadOutcome: Equatable, Sendable {
    /// So many bytes, at least one. With `mayHaveMore` the caller has to read again, since no event will tell of what is
    /// already here; without, socket and OpenSSL are both empty and the next edge tells of more.
    case bytes(Int, mayHaveMore: Bool)
    /// Nothing is there; read again when the socket has become readable.
    case wantsRead
    /// TLS itself has to write first (a key update); read again when the socket has become writable.
    case wantsWrite
    /// The peer said that it sends no more (close_notify). Writing goes on.
    case endOfStream
    /// The peer's end came without close_notify: what came before may be cut short (RFC 8446 §6.1). Writing goes on.
    case truncated
    case failed(TLSFault)
}
