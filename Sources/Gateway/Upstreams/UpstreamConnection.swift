import Core
import Crypto
import IO

/// A connection to one server of an upstream: how it is made, whatever is spoken over it then.
class UpstreamConnection: SocketChannel {
    final let server: UpstreamServer
    /// The socket has not said yet whether it is connected.
    private var isConnecting: Bool

    /// Begins to connect.
    init(worker: Worker, server: UpstreamServer) throws(SystemError) {
        self.server = server
        isConnecting = true
        super.init(worker: worker, descriptor: try Sockets.connect(to: server.endpoint))
        do throws(SystemError) {
            try register()
        } catch {
            _ = closeSocket()
            throw error
        }
        isBlocked = true
        setDeadline(after: server.timeouts.connect)
    }

    /// Takes over a connection that is made.
    init(continuing other: UpstreamConnection) {
        server = other.server
        isConnecting = false
        super.init(continuing: other)
    }

    // MARK: For subclasses

    /// What is offered in ALPN.
    func context(of security: UpstreamSecurity) -> TLSClientContext { security.context }
    /// HTTP may be spoken.
    func connected() {}
    /// No connection came about, and why. The subclass closes itself.
    func connectingFailed(_ failure: UpstreamFailure) {}

    // MARK: Connecting

    final override func finishConnecting(_ readiness: Readiness) -> Bool {
        guard isConnecting else { return true }
        guard readiness.isWritable || readiness.isBroken else { return false }
        isConnecting = false
        if readiness.isBroken || Sockets.storedError(of: descriptor) != nil {
            server.noteFailed(at: worker.loop.now.wall)
            connectingFailed(.connectFailed)
            return false
        }
        guard let security = server.security else {
            server.noteConnected()
            connected()
            return true
        }
        do throws(TLSFault) {
            // The deadline of connecting stands until both sides agree.
            speak(try TLSStream(connecting: context(of: security), to: security.name, descriptor: descriptor))
        } catch {
            handshakeFailed(error)
            return false
        }
        return true
    }

    override func established() {
        server.noteConnected()
        connected()
    }

    final override func handshakeFailed(_ fault: TLSFault) {
        server.noteHandshakeFailed(fault, at: worker.loop.now, log: worker.shared.log)
        connectingFailed(.tlsFailed(fault))
    }

    /// The deadline of connecting passed.
    final func connectingTimedOut() {
        server.noteFailed(at: worker.loop.now.wall)
        connectingFailed(.connectTimedOut)
    }

    /// Whether reading failed because the server does not take our certificate, which in TLS 1.3 it says only after the
    /// handshake. The connection has then failed as if in it.
    final func failedLate() -> Bool {
        guard let fault = tls?.fault, case .alert = fault else { return false }
        handshakeFailed(fault)
        return true
    }

    /// The socket is closed: the connection counts no more.
    final func discount() {
        server.open -= 1
        server.counters.values.open -= 1
    }
}
