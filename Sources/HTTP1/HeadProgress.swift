package import Core

/// How far a request head has come.
package enum HeadProgress: Equatable, Sendable {
    /// What is there may become a head; present it again with more behind it.
    case incomplete
    /// The head is whole. `byteCount` bytes are consumed: leading empty lines, the head and its last CR LF.
    case complete(byteCount: Int)
    /// The bytes cannot become a request this gateway takes. Nothing behind them can be trusted: answer and close.
    case malformed(RequestFault)
}
