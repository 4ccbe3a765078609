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

    /// What became of bytes offered to a socket.
    package enum Taking {
        case written(Int)
        /// None now; later.
        case full
        case failed(Int32)
    }

    /// Writes as much as the socket takes.
    @inline(__always)
    package mutating func write(to descriptor: Int32) -> Progress {
        unsafe write { bytes in
            let count = unsafe linux_send(descriptor, bytes.baseAddress, bytes.count)
            guard count < 0 else { return .written(count) }
            let code = Int32(truncatingIfNeeded: -count)
            switch code {
            case EINTR: return .written(0)
            case EAGAIN: return .full
            default: return .failed(code)
            }
        }
    }

    /// Offers what is left to `take` until nothing is left or it takes no more.
    @inline(__always)
    package mutating func write(_ take: (UnsafeRawBufferPointer) -> Taking) -> Progress {
        while sent < bytes.count {
            let taking = unsafe bytes.withUnsafeBytes { unsafe take(UnsafeRawBufferPointer(rebasing: $0[sent...])) }
            switch taking {
            case .written(let count): sent &+= count
            case .full:
                compact()
                return .blocked
            case .failed(let code): return .failed(code)
            }
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
