import Core
import Crypto
import HTTP1
import IO
import Policy

/// A client's connection before HTTP: a PROXY protocol header where one may come, then TLS where it is spoken. Then an
/// HTTP/1 or HTTP/2 connection goes on in its place.
final class ClientOpening: SocketChannel, ClientConnection {
    private enum Phase {
        case proxyHeader
        /// The header is taken, or there was none; what follows is for the next protocol.
        case afterProxyHeader
        case handshake
    }

    let listener: ListenerSocket
    let peerAddress: IPAddress
    private(set) var facts: ConnectionFacts
    private var phase: Phase
    private let requiresProxyHeader: Bool

    init(
        worker: Worker, descriptor: Int32, facts: ConnectionFacts, listener: ListenerSocket,
        expecting proxyHeader: ListenerSocket.ProxyExpectation
    ) {
        self.listener = listener
        self.facts = facts
        peerAddress = facts.peer
        phase = proxyHeader == .never ? .afterProxyHeader : .proxyHeader
        requiresProxyHeader = proxyHeader == .required
        super.init(worker: worker, descriptor: descriptor)
        // What follows a PROXY header is for TLS to read from the socket.
        isPeeking = proxyHeader != .never && listener.tls != nil
    }

    /// Begins to be served; `register` has succeeded.
    func start() {
        setDeadline(after: worker.bounds.headTimeout)
        if phase == .afterProxyHeader { goOn() }
    }

    // MARK: What the socket says

    override func survivesBreak() -> Bool {
        close()
        return false
    }

    override func process(_ bytes: Span<UInt8>) -> Int {
        guard phase == .proxyHeader else { return 0 }
        switch ProxyProtocolParser.parse(bytes) {
        case .incomplete: return 0
        case .absent:
            guard !requiresProxyHeader else {
                close()
                return bytes.count
            }
            phase = .afterProxyHeader
            return 0
        case .complete(let source, let count):
            if let source {
                facts.peer = source.address
                facts.peerPort = source.port
            }
            phase = .afterProxyHeader
            return count
        case .malformed:
            close()
            return bytes.count
        }
    }

    override func received() {
        if phase == .afterProxyHeader { goOn() }
    }

    override func endOfStream() { close() }
    override func readFailed() { close() }
    override func deadlinePassed() { close() }

    // MARK: TLS

    private func goOn() {
        isPeeking = false
        guard let context = listener.tls else { return worker.proceed(from: self, with: .http11) }
        context.settings.ticketKeys?.rotate(now: worker.loop.now.instant)
        phase = .handshake
        setDeadline(after: listener.handshakeTimeout)
        do throws(TLSFault) {
            speak(try TLSStream(accepting: context, descriptor: descriptor))
            shakeHands()
        } catch {
            close()
        }
    }

    override func established() {
        worker.metrics.totals.handshakes &+= 1
        facts.isSecure = true
        facts.clientCertificate = tls?.peerCertificate.map(ClientCertificate.init)
        worker.proceed(from: self, with: tls?.applicationProtocol == .h2 ? .http2 : .http11)
    }

    override func handshakeFailed(_ fault: TLSFault) {
        worker.metrics.totals.handshakesFailed &+= 1
        guard fault == .plaintextHTTP else { return close() }
        forgetTLS()
        worker.proceed(from: self, refusing: .plainHTTPOnTLSPort)
    }

    // MARK: The end

    func drain() { setDeadline(after: worker.drainIdleGrace) }
    func cut() { close() }

    private func close() {
        if closeSocket() { worker.clientClosed(self) }
    }
}
