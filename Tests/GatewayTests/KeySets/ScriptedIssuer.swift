import CLinux
import Core
import Crypto
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
    /// What it speaks TLS with; nil in clear.
    private let security: TLSServerContext?
    /// The end is not said by TLS.
    private let cutsShort: Bool
    private let ended = DispatchSemaphore(value: 0)
    let port: UInt16

    init(
        answer: String, holdsOpen: Bool = false, security: TLSServerContext? = nil, cutsShort: Bool = false
    ) throws {
        self.holdsOpen = holdsOpen
        self.security = security
        self.cutsShort = cutsShort
        listener = try Sockets.listen(on: SocketEndpoint(address: IPAddress(v4: 0x7F00_0001), port: 0))
        port = Sockets.localEndpoint(of: listener).port
        state = Mutex(State(answer: Array(answer.utf8)))
        DispatchQueue(label: "test.issuer").async { [self] in serve() }
    }

    var url: String { "\(security == nil ? "http" : "https")://127.0.0.1:\(port)/jwks.json" }
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
            if let security {
                serve(descriptor, with: security)
                Sockets.closeDescriptor(descriptor)
                continue
            }
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

    /// One exchange over TLS; a client that does not believe the server leaves in the handshake.
    private func serve(_ descriptor: Int32, with security: TLSServerContext) {
        guard let stream = try? TLSStream(accepting: security, descriptor: descriptor) else { return }
        var request: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 4096)
        while !stream.isEstablished {
            switch stream.handshake() {
            case .complete: break
            case .wantsRead: guard linux_poll(descriptor, Int16(POLLIN), 5000) > 0 else { return }
            case .wantsWrite: guard linux_poll(descriptor, Int16(POLLOUT), 5000) > 0 else { return }
            case .failed: return
            }
        }
        while !request.suffix(4).elementsEqual([13, 10, 13, 10]) {
            switch unsafe buffer.withUnsafeMutableBytes({ unsafe stream.read(into: $0) }) {
            case .bytes(let count, _): request += buffer[..<count]
            case .wantsRead: guard linux_poll(descriptor, Int16(POLLIN), 5000) > 0 else { return }
            case .wantsWrite, .endOfStream, .truncated, .failed: return
            }
        }
        let answer = state.withLock { state in
            state.requests.append(String(decoding: request, as: UTF8.self))
            return state.answer
        }
        _ = unsafe answer.withUnsafeBytes { unsafe stream.write($0) }
        if !cutsShort { _ = stream.shutdown() }
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
