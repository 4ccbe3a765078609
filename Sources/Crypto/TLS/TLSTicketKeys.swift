import COpenSSL
package import Core
import Synchronization

/// The keys that session tickets (RFC 5077, RFC 8446 §4.6.1) are sealed with: one for new tickets, and the one before it,
/// with which tickets are still opened. All threads and contexts share them; they are in no file.
package final class TLSTicketKeys: Sendable {
    private struct State {
        var current: TicketKey
        var previous: TicketKey?
        var madeAt: Instant
    }

    /// How long a key seals, and how long a session can be resumed.
    package let lifetime: Nanoseconds
    private let state: Mutex<State>

    package init(lifetime: Nanoseconds = .seconds(43_200), now: Instant) {
        self.lifetime = max(lifetime, .seconds(1))
        state = Mutex(State(current: TicketKey(), previous: nil, madeAt: now))
    }

    /// To be called now and then; nothing happens before the current key's time is over. A key is gone for good when its
    /// successor's time is over: then what was said under its tickets can no longer be read by who takes the machine.
    /// True when there is a new key.
    @discardableResult
    package func rotate(now: Instant) -> Bool {
        state.withLock { state in
            let age = now.since(state.madeAt)
            guard age >= lifetime else { return false }
            // Nobody called for so long that the current key is too old to open anything.
            state.previous = age / 2 >= lifetime ? nil : state.current
            state.current = TicketKey()
            state.madeAt = now
            return true
        }
    }

    /// The key to open a ticket with, and whether the ticket should be replaced by one under the current key.
    fileprivate func key(named name: UnsafePointer<UInt8>) -> (key: TicketKey, isOld: Bool)? {
        state.withLock { state in
            if unsafe state.current.isNamed(name) { return (state.current, false) }
            guard let previous = state.previous, unsafe previous.isNamed(name) else { return nil }
            return (previous, true)
        }
    }

    fileprivate var current: TicketKey { state.withLock { $0.current } }

    /// The object has to outlive the connections of `context`.
    func install(in context: OpenSSLContext) {
        let argument = unsafe Unmanaged.passUnretained(self).toOpaque()
        // Index 0 is the application's own.
        unsafe SSL_CTX_set_ex_data(context.pointer, 0, argument)
        unsafe SSL_CTX_set_timeout(context.pointer, Int(lifetime.secondsRoundedUp))
        unsafe SSL_CTX_set_tlsext_ticket_key_evp_cb(context.pointer) { connection, name, iv, cipher, code, seals in
            guard let connection = unsafe connection, let name = unsafe name, let iv = unsafe iv,
                let argument = unsafe SSL_CTX_get_ex_data(SSL_get_SSL_CTX(connection), 0)
            else { return -1 }
            let keys = unsafe Unmanaged<TLSTicketKeys>.fromOpaque(argument).takeUnretainedValue()
            if seals != 0 {
                // Sixteen bytes each is what OpenSSL has room for, and what AES asks.
                return unsafe keys.current.seal(name: name, iv: iv, cipher, code) ? 1 : -1
            }
            guard let (key, isOld) = unsafe keys.key(named: name) else { return 0 }
            guard unsafe key.open(iv: iv, cipher, code) else { return -1 }
            // Two: open, and send another. In TLS 1.3 a client uses a ticket once.
            return unsafe isOld || SSL_version(connection) == TLS1_3_VERSION ? 2 : 1
        }
    }
}
