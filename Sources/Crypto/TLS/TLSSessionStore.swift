import Core
import Synchronization

/// The newest session of each name that a client context has spoken to.
final class TLSSessionStore: Sendable {
    private let nameLimit: Int
    private let sessions = Mutex<[TLSServerName: TLSSession]>([:])

    /// Above `nameLimit` names a new one takes the place of another.
    init(nameLimit: Int) { self.nameLimit = nameLimit }

    func session(for name: TLSServerName) -> TLSSession? {
        sessions.withLock { sessions in
            guard let session = sessions[name] else { return nil }
            if session.isResumable { return session }
            sessions[name] = nil
            return nil
        }
    }

    func keep(_ session: TLSSession, for name: TLSServerName) {
        sessions.withLock { sessions in
            // Which one goes does not matter: it costs its name one full handshake.
            if sessions[name] == nil, sessions.count >= nameLimit, let other = sessions.keys.first {
                sessions[other] = nil
            }
            sessions[name] = session
        }
    }
}
