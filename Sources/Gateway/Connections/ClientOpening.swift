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
    /// Something came before TLS or HTTP.
    private var hasReceived = false
    private var isDraining = false

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
        peerLeft()
        return false
    }

    override func process(_ bytes: Span<UInt8>) -> Int {
        guard phase == .proxyHeader else { return 0 }
        hasReceived = true
        switch ProxyProtocolParser.parse(bytes) {
        case .incomplete: return 0
        case .absent:
            guard !requiresProxyHeader else {
                reject(.proxyHeaderMissing)
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
            reject(.proxyHeaderMalformed)
            return bytes.count
        }
    }

    override func received() {
        if phase == .afterProxyHeader { goOn() }
    }

    override func endOfStream() { peerLeft() }
    override func readFailed() { peerLeft() }

    override func deadlinePassed() {
        if isDraining { return close() }
        switch phase {
        case .proxyHeader, .afterProxyHeader: reject(hasReceived ? .proxyHeaderTimeout : .silent)
        case .handshake: reject(isSilent ? .silent : .tlsTimeout)
        }
    }

    /// The client ended or broke the connection. Without a byte it only looked whether the port is open.
    private func peerLeft() {
        switch phase {
        case .proxyHeader where hasReceived: reject(.proxyHeaderIncomplete)
        case .handshake where !isSilent: reject(.tls(.closedInHandshake))
        case .proxyHeader, .afterProxyHeader, .handshake: close()
        }
    }

    private var isSilent: Bool { !hasReceived && tls?.hasReceived != true }

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
            reject(.tls(error))
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
        switch fault {
        case .plaintextHTTP: tellRejected(.tls(fault))
        case .closedInHandshake, .transport: return isSilent ? close() : reject(.tls(fault))
        case .notTLS, .versionRefused, .nothingShared, .noApplicationProtocol, .certificateMissing, .peerCertificate, .alert,
            .other:
            return reject(.tls(fault))
        }
        forgetTLS()
        worker.proceed(from: self, refusing: .plainHTTPOnTLSPort)
    }

    // MARK: The end

    func drain() {
        isDraining = true
        setDeadline(after: worker.drainIdleGrace)
    }

    func cut() { close() }

    private func reject(_ rejection: ConnectionRejection) {
        tellRejected(rejection)
        close()
    }

    /// Whom a trusted PROXY protocol header names is the peer that operators want to know.
    private func tellRejected(_ rejection: ConnectionRejection) {
        guard !isClosed else { return }
        worker.rejected(rejection, from: facts.peer, on: listener)
    }

    private func close() {
        if closeSocket() { worker.clientClosed(self) }
    }
}
