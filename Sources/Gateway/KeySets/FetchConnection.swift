import CLinux
import Core
import Crypto
import IO

private import Glibc

/// A connection to an issuer's server, in clear or over TLS, waited on with poll(2) until a deadline. The descriptor is
/// closed with it.
struct FetchConnection: ~Copyable {
    private static let readBytes = 16_384

    private let descriptor: Int32
    private let deadline: Instant
    /// Nil in clear.
    private var stream: TLSStream?

    /// Takes over a connected, non-blocking socket.
    init(owning descriptor: Int32, until deadline: Instant) {
        self.descriptor = descriptor
        self.deadline = deadline
    }

    deinit { Sockets.closeDescriptor(descriptor) }

    /// Speaks TLS from here on, with a server that proves to be `name`.
    mutating func secure(with context: TLSClientContext, as name: TLSServerName) throws(FetchFault) {
        let stream: TLSStream
        do throws(TLSFault) {
            stream = try TLSStream(connecting: context, to: name, descriptor: descriptor)
        } catch {
            throw .insecure(error.description)
        }
        while true {
            switch stream.handshake() {
            case .complete:
                self.stream = stream
                return
            case .wantsRead: try wait(for: POLLIN)
            case .wantsWrite: try wait(for: POLLOUT)
            case .failed(let fault): throw .insecure(fault.description)
            }
        }
    }

    /// Sends all of it.
    func send(_ bytes: [UInt8]) throws(FetchFault) {
        var sent = 0
        while sent < bytes.count {
            let start = sent
            if let stream {
                let outcome = unsafe bytes.withUnsafeBytes { unsafe stream.write(UnsafeRawBufferPointer(rebasing: $0[start...])) }
                switch outcome {
                case .bytes(let count): sent += count
                case .wantsRead: try wait(for: POLLIN)
                case .wantsWrite: try wait(for: POLLOUT)
                case .failed(let fault): throw .insecure(fault.description)
                }
            } else {
                let result = unsafe bytes.withUnsafeBytes {
                    unsafe linux_send(descriptor, $0.baseAddress?.advanced(by: start), $0.count - start)
                }
                if result >= 0 {
                    sent += result
                } else if result == -Int(EAGAIN) {
                    try wait(for: POLLOUT)
                } else if result != -Int(EINTR) {
                    throw .unreachable(SystemError(call: "send", code: Int32(truncatingIfNeeded: -result)))
                }
            }
        }
    }

    /// Appends what comes next; false at the end of the stream. A stream of TLS that ends without saying so may have been
    /// cut by anybody, and is no whole answer.
    func receive(into bytes: inout [UInt8]) throws(FetchFault) -> Bool {
        var buffer = [UInt8](repeating: 0, count: Self.readBytes)
        guard let stream else { return try receiveClear(into: &bytes, &buffer) }
        while true {
            guard deadline.since(EventLoop.readClocks().instant) > 0 else { throw .timedOut }
            switch unsafe buffer.withUnsafeMutableBytes({ unsafe stream.read(into: $0) }) {
            case .bytes(let count, _):
                bytes.append(contentsOf: buffer.span.extracting(0..<count))
                return true
            case .wantsRead: try wait(for: POLLIN)
            case .wantsWrite: try wait(for: POLLOUT)
            case .endOfStream: return false
            case .truncated: throw .cutShort
            case .failed(let fault): throw .insecure(fault.description)
            }
        }
    }

    private func receiveClear(into bytes: inout [UInt8], _ buffer: inout [UInt8]) throws(FetchFault) -> Bool {
        while true {
            // Also before the first read: an issuer that never stops sending a little must not outlast the deadline.
            try wait(for: POLLIN)
            switch unsafe buffer.withUnsafeMutableBytes({ unsafe Sockets.read(descriptor, into: $0) }) {
            case .bytes(let count):
                bytes.append(contentsOf: buffer.span.extracting(0..<count))
                return true
            case .endOfStream: return false
            case .wouldBlock: continue
            case .failed(let code): throw .unreachable(SystemError(call: "recv", code: code))
            }
        }
    }

    private func wait(for events: Int32) throws(FetchFault) {
        try Self.wait(for: events, on: descriptor, until: deadline)
    }

    /// Returns when the descriptor has something to tell, be it an error that the next call will meet.
    static func wait(for events: Int32, on descriptor: Int32, until limit: Instant) throws(FetchFault) {
        while true {
            let left = limit.since(EventLoop.readClocks().instant)
            guard left > 0 else { throw .timedOut }
            let result = linux_poll(
                descriptor, Int16(truncatingIfNeeded: events), Int32(clamping: left / 1_000_000 + 1))
            if result > 0 { return }
            if result < 0, result != -Int(EINTR) {
                throw .unreachable(SystemError(call: "poll", code: Int32(truncatingIfNeeded: -result)))
            }
        }
    }
}
