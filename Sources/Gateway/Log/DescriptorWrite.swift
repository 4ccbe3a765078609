import CLinux
import IO

private import Glibc

/// Writing to a descriptor that may or may not block, as standard output and standard error are inherited.
enum DescriptorWrite {
    /// How long one write waits for a non-blocking descriptor, in milliseconds.
    private static let patience: Int32 = 1000

    /// Writes from `offset` on and moves it by what was written; it reaches the end, or an error is thrown: EAGAIN where a
    /// non-blocking descriptor took nothing for a second.
    static func write(_ bytes: [UInt8], from offset: inout Int, to descriptor: Int32) throws(SystemError) {
        while offset < bytes.count {
            let start = offset
            let result = unsafe bytes.withUnsafeBytes { buffer in
                unsafe linux_write(descriptor, buffer.baseAddress?.advanced(by: start), buffer.count - start)
            }
            if result >= 0 {
                offset += result
                continue
            }
            let code = Int32(truncatingIfNeeded: -result)
            if code == EINTR { continue }
            if code == EAGAIN, linux_poll(descriptor, Int16(POLLOUT), patience) > 0 { continue }
            throw SystemError(call: "write", code: code)
        }
    }
}
