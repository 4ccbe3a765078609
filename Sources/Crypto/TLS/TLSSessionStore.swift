import Core
import Synchronization

/// The newest sessions of each name that a client context has spoken to.
final class TLSSessionStore: Sendable {
    private let nameLimit: Int
    private let sessionLimit: Int
    /// The newest last.
    private let sessions = Mutex<[TLSServerName: [TLSSession]]>([:])

    /// Above `nameLimit` names a new one takes the place of another; above `sessionLimit` sessions of a name the oldest
    /// goes.
    init(nameLimit: Int, sessionLimit: Int) {
        self.nameLimit = nameLimit
        self.sessionLimit = sessionLimit
    }

    /// The newest session, which is the caller's alone when it serves once.
    func take(for name: TLSServerName) -> TLSSession? {
        sessions.withLock { sessions in
            while let session = sessions[name]?.last {
                if session.isForOneUse || !session.isResumable { sessions[name]?.removeLast() }
                if session.isResumable { return session }
            }
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
            // One that serves again and again makes those before it needless.
            if !session.isForOneUse { sessions[name] = [] }
            sessions[name, default: []].append(session)
            if sessions[name, default: []].count > sessionLimit { sessions[name]?.removeFirst() }
        }
    }
}
