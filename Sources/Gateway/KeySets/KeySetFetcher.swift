package import Core
import Crypto
import IO
package import Policy
import Synchronization

/// Keeps all key sets of the process up to date, each on its own, off the loops. Safe to call from any queue.
package final class KeySetFetcher: Sendable {
    private struct State {
        var sets: [CompiledKeySet] = []
        /// By name of the key set.
        var refreshers: [String: KeySetRefresher] = [:]
    }

    private let state = Mutex(State())
    private let log: OperatorLog
    private let cryptography: any Cryptography

    package init(log: OperatorLog, cryptography: any Cryptography = OpenSSLCryptography()) {
        self.log = log
        self.cryptography = cryptography
    }

    /// Follows a policy: puts local keys in force, begins to fetch what is new, ends what is gone. Never waits.
    package func adopt(_ sets: [CompiledKeySet]) {
        let now = EventLoop.readClocks()
        let gone = state.withLock { state in
            var refreshers: [String: KeySetRefresher] = [:]
            for set in sets {
                let configuration = set.configuration
                set.cell.configure(cooldown: configuration.cooldown, staleLimit: configuration.staleLimit)
                if let local = set.local { set.cell.install(local, now: now, freshFor: nil) }
                guard case .url(let url) = configuration.source else { continue }
                if let known = state.refreshers[set.cell.name], known.cell === set.cell {
                    known.adopt(url: url.value, configuration: configuration)
                    refreshers[set.cell.name] = known
                } else {
                    refreshers[set.cell.name] = KeySetRefresher(
                        cell: set.cell, url: url.value, configuration: configuration, cryptography: cryptography,
                        log: log)
                }
            }
            let gone = state.refreshers.values.filter { refreshers[$0.cell.name] !== $0 }
            state.sets = sets
            state.refreshers = refreshers
            return gone
        }
        for refresher in gone { refresher.stop() }
    }

    /// Fetches a key set now, or joins the fetch under way; `completion` is called from another queue when it is over,
    /// whether keys came or not. A key set that is not fetched, or that failed a moment ago, completes at once.
    package func refetch(_ cell: KeySetCell, _ completion: @escaping @Sendable () -> Void) {
        let refresher = state.withLock { state in state.refreshers[cell.name] }
        if let refresher, refresher.cell === cell {
            refresher.refetch(completion)
        } else {
            completion()
        }
    }

    /// The state of every key set, in the order of their names.
    package func status() -> [KeySetStatus] {
        let now = EventLoop.readClocks().instant
        return state.withLock { $0.sets.map(\.cell) }.map { $0.status(now: now) }.sorted { $0.name < $1.name }
    }
}
