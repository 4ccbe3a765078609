import COpenSSL
import Crypto
import Glibc

/// Two streams over a pair of sockets, driven by turns in one thread.
final class TestLink {
    let sockets: SocketPair
    let client: TLSStream
    let server: TLSStream
    private(set) var clientOutcome = TLSHandshakeOutcome.wantsRead
    private(set) var serverOutcome = TLSHandshakeOutcome.wantsRead

    init(
        _ clientContext: TLSClientContext, _ serverContext: TLSServerContext, name: TLSServerName = .host("localhost")
    ) throws {
        sockets = SocketPair()
        client = try TLSStream(connecting: clientContext, to: name, descriptor: sockets.first)
        server = try TLSStream(accepting: serverContext, descriptor: sockets.second)
    }

    /// Runs both sides until neither goes on. A side that fails closes its half, as the gateway would.
    func handshake() {
        for _ in 0..<100 {
            clientOutcome = client.handshake()
            if case .failed = clientOutcome { sockets.shutDown(sockets.first) }
            serverOutcome = server.handshake()
            if case .failed = serverOutcome { sockets.shutDown(sockets.second) }
            if !clientOutcome.isUnfinished, !serverOutcome.isUnfinished { return }
        }
    }

    /// The fault that ends the client's side, which in TLS 1.3 comes with the first read.
    func clientFault() -> TLSFault? {
        if case .failed(let fault) = clientOutcome { return fault }
        if case .failed(let fault) = client.readAll().end { return fault }
        return nil
    }

    var isEstablished: Bool { clientOutcome == .complete && serverOutcome == .complete }
}

extension TLSHandshakeOutcome {
    var isUnfinished: Bool { self == .wantsRead || self == .wantsWrite }
}

extension TLSStream {
    /// Reads until nothing is left; the bytes, and what ended the reading.
    func readAll(step: Int = 65_536) -> (bytes: [UInt8], end: TLSReadOutcome) {
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: step)
        while true {
            let outcome = unsafe buffer.withUnsafeMutableBytes { unsafe self.read(into: $0) }
            guard case .bytes(let count, let mayHaveMore) = outcome else { return (bytes, outcome) }
            bytes += buffer[..<count]
            if !mayHaveMore { return (bytes, .wantsRead) }
        }
    }

    func write(_ bytes: some Collection<UInt8>) -> TLSWriteOutcome {
        unsafe Array(bytes).withUnsafeBytes { unsafe self.write($0) }
    }
}

/// Two connected sockets, closed with the object.
final class SocketPair {
    let first: Int32
    let second: Int32
    private var isFirstOpen = true

    init() {
        // A peer that has gone must not end the process.
        signal(SIGPIPE, SIG_IGN)
        var pair: [Int32] = [-1, -1]
        let kind = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
        let result = unsafe socketpair(AF_UNIX, kind, 0, &pair)
        precondition(result == 0, "socketpair")
        first = pair[0]
        second = pair[1]
    }

    deinit {
        closeFirst()
        close(second)
    }

    func closeFirst() {
        if isFirstOpen { close(first) }
        isFirstOpen = false
    }

    func shutDown(_ descriptor: Int32) { shutdown(descriptor, Int32(SHUT_WR)) }

    func send(_ bytes: some Collection<UInt8>, on descriptor: Int32) {
        let bytes = Array(bytes)
        let count = unsafe Glibc.write(descriptor, bytes, bytes.count)
        precondition(count == bytes.count, "write")
    }

    /// What is there, without waiting.
    func receive(on descriptor: Int32, limit: Int = 65_536) -> [UInt8] {
        var buffer = [UInt8](repeating: 0, count: limit)
        let count = unsafe Glibc.read(descriptor, &buffer, limit)
        return Array(buffer.prefix(max(count, 0)))
    }
}

/// Contexts for tests that are about something else.
enum TestContexts {
    static func server(
        _ certificates: [TLSCertificate]? = nil, _ change: (inout TLSServerSettings) -> Void = { _ in }
    ) throws -> TLSServerContext {
        let certificates = try certificates ?? [TestAuthority.root.identity()]
        var settings = TLSServerSettings(certificates.map { .init($0) })
        change(&settings)
        return try TLSServerContext(settings)
    }

    static func client(
        trusting authority: TestAuthority = .root, _ change: (inout TLSClientSettings) -> Void = { _ in }
    ) throws -> TLSClientContext {
        var settings = TLSClientSettings(.authorities(try TrustStore(pem: authority.pem)))
        change(&settings)
        return try TLSClientContext(settings)
    }
}
