import Core
import Crypto
import IO
import Policy

/// What a listener's connections are for.
enum ListenerRole: Equatable { case traffic, admin, probes }

/// One loop's share of a listener: its own socket on the common address (SO_REUSEPORT), so that the kernel spreads
/// connections and no loop hands any to another.
final class ListenerSocket: Channel {
    enum ProxyExpectation { case never, allowed, required }

    /// Accepted in one go; the rest is said again at once, after other work.
    private static let acceptsPerRound = 64
    /// How long nothing is accepted after the system refused to.
    private static let pauseAfterFailure: Nanoseconds = .milliseconds(100)

    let endpoint: SocketEndpoint
    let role: ListenerRole
    /// Which opening of a listener it belongs to; an address may be opened anew before its old socket closes.
    let number: Int
    /// The address in the policy; port 0 there is another one here.
    let configured: SocketEndpoint
    /// TLS as new connections are to speak it; nil in clear.
    private(set) var tls: TLSServerContext?
    private(set) var handshakeTimeout: Nanoseconds = 0
    /// Where requests are sent instead of being served.
    private(set) var redirect: HTTPSRedirect?
    /// Clients that know HTTP/2 beforehand may speak it.
    private(set) var takesHTTP2InClear = false
    /// Requests of HTTP/1 are served; otherwise they are answered `http2_required`.
    private(set) var takesHTTP1 = true
    private let worker: Worker
    private let descriptor: Int32
    private var registration = Registration.none
    private var proxyPeers: AddressSet?
    private var requiresProxy = false
    /// Nothing is accepted any more; connections that were go on until they are idle.
    private(set) var isClosed = false
    private var isPaused = false

    init(
        worker: Worker, descriptor: Int32, role: ListenerRole, number: Int, configured: SocketEndpoint
    ) throws(SystemError) {
        self.number = number
        self.configured = configured
        self.worker = worker
        self.descriptor = descriptor
        self.role = role
        endpoint = Sockets.localEndpoint(of: descriptor)
        registration = try worker.loop.registerListener(self, descriptor: descriptor)
    }

    /// What a policy says of the listener holds for connections that come from now on.
    func adopt(_ listener: CompiledPolicy.Listener) {
        let configuration = listener.configuration
        tls = listener.tls
        handshakeTimeout = configuration.tls?.handshakeTimeout ?? 0
        redirect = configuration.redirect
        takesHTTP2InClear = tls == nil && configuration.protocols.contains(.http2)
        takesHTTP1 = configuration.protocols.contains(.http11)
        proxyPeers = configuration.proxyProtocol.map { AddressSet($0.from) }
        requiresProxy = configuration.proxyProtocol?.required ?? false
    }

    /// Whether a peer may, must or must not begin with a PROXY header.
    func proxyExpectation(of peer: IPAddress) -> ProxyExpectation {
        guard let proxyPeers, proxyPeers.contains(peer) else { return .never }
        return requiresProxy ? .required : .allowed
    }

    func ready(_ readiness: Readiness) { accept(atMost: Self.acceptsPerRound) }

    func flush() {}

    func deadlineReached() {
        guard isPaused, !isClosed else { return }
        isPaused = false
        worker.loop.watchListener(registration, descriptor: descriptor, isOn: true)
    }

    private func pause() {
        guard !isPaused, !isClosed else { return }
        isPaused = true
        worker.loop.watchListener(registration, descriptor: descriptor, isOn: false)
        _ = worker.loop.schedule(registration, at: worker.loop.now.instant.advanced(by: Self.pauseAfterFailure))
    }

    private func accept(atMost limit: Int) {
        for _ in 0..<limit {
            do throws(SystemError) {
                guard let (descriptor, peer) = try Sockets.accept(self.descriptor) else { return }
                worker.accept(descriptor, from: peer, on: self)
            } catch {
                // Out of descriptors or memory: the backlog keeps the rest. Asking again at once would only burn time.
                worker.acceptFailed(error)
                pause()
                return
            }
        }
    }

    /// Accepts what already waits, then closes: those clients were told they are connected.
    func close() {
        guard !isClosed else { return }
        accept(atMost: 4096)
        isClosed = true
        worker.loop.unregister(registration)
        Sockets.closeDescriptor(descriptor)
    }
}
