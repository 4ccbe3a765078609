import CLinux
package import Core

/// Bytes waiting to be written to one socket. May keep what was written for a while, so that a request can be sent again on
/// another connection.
package struct ByteQueue: ~Copyable {
    package enum Progress: Equatable {
        /// Nothing left to write.
        case drained
        /// The socket takes no more for now.
        case blocked
        /// The connection is broken.
        case failed(Int32)
    }

    /// Append here. What is before `sent` has been written.
    package var bytes = ByteBuffer()
    package private(set) var sent = 0
    /// Keep written bytes for `rewind`.
    package var keepsWritten = false

    package init() {}

    /// Bytes not yet written.
    @inlinable package var pending: Int { bytes.count &- sent }

    /// Everything is to be written again.
    package mutating func rewind() { sent = 0 }

    /// Writes as much as the socket takes.
    package mutating func write(to descriptor: Int32) -> Progress {
        while sent < bytes.count {
            let count = unsafe bytes.withUnsafeBytes { buffer in
                unsafe linux_send(descriptor, buffer.baseAddress.map { unsafe $0 + sent }, buffer.count &- sent)
            }
            if count < 0 {
                let code = Int32(truncatingIfNeeded: -count)
                if code == EINTR { continue }
                if code == EAGAIN {
                    compact()
                    return .blocked
                }
                return .failed(code)
            }
            sent &+= count
        }
        if !keepsWritten { removeAll() }
        return .drained
    }

    /// Forgets everything, written or not; keeps the storage.
    package mutating func removeAll() {
        bytes.removeAll()
        sent = 0
    }

    /// Moves the unwritten rest to the front when most of the storage is behind it.
    private mutating func compact() {
        guard !keepsWritten, sent > 0, sent &* 2 > bytes.count else { return }
        bytes.removeFirst(sent)
        sent = 0
    }
}

private import Glibc
