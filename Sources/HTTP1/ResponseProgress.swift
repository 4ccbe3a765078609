package import Core

/// How far a response head has come.
package enum ResponseProgress: Equatable, Sendable {
    /// What is there may become a head; present it again with more behind it.
    case incomplete
    /// The head is whole and took `byteCount` bytes, its last CR LF included.
    case complete(byteCount: Int)
    /// The bytes cannot become a response that may be forwarded.
    case malformed(ResponseFault)
}
