import CLinux
import Core
import Dispatch
import Glibc
import IO
import Synchronization

/// An HTTP server on a port of its own that answers each request with what its script says, byte for byte, and closes,
/// or waits until the client does.
final class ScriptedIssuer: Sendable {
    private struct State {
        var answer: [UInt8]
        var requests: [String] = []
        var isStopped = false
    }

    private let listener: Int32
    private let state: Mutex<State>
    private let holdsOpen: Bool
    private let ended = DispatchSemaphore(value: 0)
    let port: UInt16

    init(answer: String, holdsOpen: Bool = false) throws {
        self.holdsOpen = holdsOpen
        listener = try Sockets.listen(on: SocketEndpoint(address: IPAddress(v4: 0x7F00_0001), port: 0))
        port = Sockets.localEndpoint(of: listener).port
        state = Mutex(State(answer: Array(answer.utf8)))
        DispatchQueue(label: "test.issuer").async { [self] in serve() }
    }

    var url: String { "http://127.0.0.1:\(port)/jwks.json" }
    var requests: [String] { state.withLock { $0.requests } }

    func answer(_ text: String) { state.withLock { $0.answer = Array(text.utf8) } }

    /// An answer of status 200 with this document.
    static func ok(_ document: String, _ fields: String = "") -> String {
        "HTTP/1.1 200 OK\r\nContent-Length: \(document.utf8.count)\r\n\(fields)\r\n\(document)"
    }

    func stop() {
        state.withLock { $0.isStopped = true }
        ended.wait()
    }

    private func serve() {
        while !state.withLock({ $0.isStopped }) {
            guard linux_poll(listener, Int16(POLLIN), 10) > 0 else { continue }
            guard let (descriptor, _) = try? Sockets.accept(listener) else { continue }
            let request = read(descriptor)
            let answer = state.withLock { state in
                state.requests.append(request)
                return state.answer
            }
            write(answer, to: descriptor)
            // The client sends nothing more, so what can be read is its end.
            if holdsOpen { _ = linux_poll(descriptor, Int16(POLLIN), 10_000) }
            Sockets.closeDescriptor(descriptor)
        }
        Sockets.closeDescriptor(listener)
        ended.signal()
    }

    private func read(_ descriptor: Int32) -> String {
        var bytes: [UInt8] = []
        while !bytes.suffix(4).elementsEqual([13, 10, 13, 10]), linux_poll(descriptor, Int16(POLLIN), 5000) > 0 {
            var byte: UInt8 = 0
            guard unsafe linux_read(descriptor, &byte, 1) == 1 else { break }
            bytes.append(byte)
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    private func write(_ bytes: [UInt8], to descriptor: Int32) {
        var sent = 0
        while sent < bytes.count {
            let start = sent
            let result = unsafe bytes.withUnsafeBytes {
                unsafe linux_send(descriptor, $0.baseAddress?.advanced(by: start), $0.count - start)
            }
            if result > 0 {
                sent += result
            } else if result != -Int(EAGAIN) || linux_poll(descriptor, Int16(POLLOUT), 5000) <= 0 {
                return
            }
        }
    }
}
