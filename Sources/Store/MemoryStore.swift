private import Core
private import Synchronization

/// A store that keeps nothing: gone with the object, encrypted nowhere. For tests.
package final class MemoryStore: CredentialStore {
    private struct State {
        var contents = StoreContents()
        var usage: [String: KeyUsage] = [:]
        var fault: StoreFault?
    }

    private let state: Mutex<State>

    package init() {
        state = Mutex(State())
    }

    /// Throw this from every call from now on, as a store does whose disk is full; nil ends it.
    package func fail(with fault: StoreFault?) {
        state.withLock { $0.fault = fault }
    }

    package func contents() throws(StoreFault) -> StoreContents {
        try state.withLock { (state) throws(StoreFault) in
            try Self.check(state)
            return state.contents
        }
    }

    package func commit(_ changes: [StoreChange], at revision: Int64) throws(StoreFault) -> Int64 {
        try state.withLock { (state) throws(StoreFault) in
            try Self.check(state)
            guard state.contents.revision == revision else { throw .conflict }
            var contents = state.contents
            for change in changes { try contents.apply(change) }
            contents.revision &+= 1
            let left = Set(contents.keys.map(\.id))
            for key in state.contents.keys where !left.contains(key.id) { state.usage[key.id] = nil }
            state.contents = contents
            return contents.revision
        }
    }

    package func record(_ usage: [KeyUsage]) throws(StoreFault) {
        try state.withLock { (state) throws(StoreFault) in
            try Self.check(state)
            for used in usage {
                var sum = state.usage[used.key] ?? KeyUsage(key: used.key, count: 0, lastUsedAt: used.lastUsedAt)
                sum.count &+= used.count
                sum.lastUsedAt = max(sum.lastUsedAt, used.lastUsedAt)
                state.usage[used.key] = sum
            }
        }
    }

    package func usage() throws(StoreFault) -> [KeyUsage] {
        try state.withLock { (state) throws(StoreFault) in
            try Self.check(state)
            return state.usage.values.sorted { $0.key < $1.key }
        }
    }

    package func revision() throws(StoreFault) -> Int64 {
        try state.withLock { (state) throws(StoreFault) in
            try Self.check(state)
            return state.contents.revision
        }
    }

    private static func check(_ state: State) throws(StoreFault) {
        if let fault = state.fault { throw fault }
    }
}
