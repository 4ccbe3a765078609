package import Core
package import Synchronization

/// The process-wide place of one key set: the keys every loop verifies with, and what the fetcher has to remember about
/// them. Kept over reloads. Does no I/O and reads no clock.
package final class KeySetCell: Sendable {
    /// How long a `kid` that a fetch did not bring is known to be missing.
    static let missingKidLifetime: Nanoseconds = .seconds(30)
    /// Key ids remembered as missing; more are not remembered, and then only the cool-down protects the issuer.
    static let missingKidLimit = 256

    package let name: String
    /// True when the keys come over the network, so that a fetch may bring new ones.
    package let isRemote: Bool
    /// Written under the lock of `state`, read without it for every use of a cached token.
    @usableFromInline let generationCounter = Atomic<UInt64>(0)
    @usableFromInline let usableUntil = Atomic<Int64>(.max)
    private let state: Mutex<State>

    private struct State: Sendable {
        var cooldown: Nanoseconds
        var staleLimit: Nanoseconds
        var set: KeySet?
        var fetchedAt: WallTime?
        var freshUntil = Instant.distantFuture
        var lastError: String?
        var lastErrorAt: WallTime?
        var consecutiveFailures = 0
        /// Start of the last fetch that an unknown key id caused.
        var unknownKidFetchAt: Instant?
        var isFetchAwaited = false
        /// Key ids that the fetch under way is awaited for.
        var awaitedKids: Set<[UInt8]> = []
        /// Key id → until when it is known to be missing.
        var missingKids: [[UInt8]: Instant] = [:]
    }

    package init(
        name: String, isRemote: Bool, cooldown: Nanoseconds = .seconds(30), staleLimit: Nanoseconds = .seconds(86_400)
    ) {
        self.name = name
        self.isRemote = isRemote
        state = Mutex(State(cooldown: cooldown, staleLimit: staleLimit))
    }

    /// Takes over what a reload changed.
    package func configure(cooldown: Nanoseconds, staleLimit: Nanoseconds) {
        state.withLock { state in
            state.cooldown = cooldown
            state.staleLimit = staleLimit
            publishEnd(of: state)
        }
    }

    /// Counts the changes of the keys. Tokens verified under another generation are verified again.
    @inlinable
    package var generation: UInt64 { generationCounter.load(ordering: .acquiring) }

    /// True while keys of this generation are in force and not too old. Two atomic loads.
    @inlinable
    package func isCurrent(_ generation: UInt64, now: Instant) -> Bool {
        generationCounter.load(ordering: .acquiring) == generation
            && now.nanoseconds < usableUntil.load(ordering: .relaxed)
    }

    /// The keys in force and their generation; nil before the first fetch, and when they are too old to be trusted.
    package func current(now: Instant) -> (set: KeySet, generation: UInt64)? {
        state.withLock { state in
            guard let set = state.set, now.nanoseconds < usableUntil.load(ordering: .relaxed) else { return nil }
            return (set, generationCounter.load(ordering: .relaxed))
        }
    }

    /// Puts freshly read keys in force. A key that is gone is revoked at once; an unchanged set keeps its generation,
    /// so that cached tokens stay.
    /// - Parameter freshFor: until the fetcher looks again; nil for keys that do not age, as those of a local file.
    package func install(_ set: KeySet, now: ClockReading, freshFor: Nanoseconds?) {
        state.withLock { state in
            let isUnchanged = state.set.map { $0.fingerprint == set.fingerprint } ?? false
            // The first keys come whoever asked for them: that fetch is nobody's cool-down.
            if state.set == nil { state.unknownKidFetchAt = nil }
            if !isUnchanged {
                state.set = set
                generationCounter.wrappingAdd(1, ordering: .releasing)
            }
            state.fetchedAt = now.wall
            state.freshUntil = freshFor.map(now.instant.advanced(by:)) ?? .distantFuture
            state.lastError = nil
            state.lastErrorAt = nil
            state.consecutiveFailures = 0
            publishEnd(of: state)
            settleAwaitedKids(of: &state, in: set, now: now.instant)
        }
    }

    /// Notes a fetch that failed or brought rubbish. The keys in force stay in force until they are too old.
    package func fetchFailed(_ reason: String, now: ClockReading) {
        state.withLock { state in
            state.lastError = reason
            state.lastErrorAt = now.wall
            state.consecutiveFailures &+= 1
            state.isFetchAwaited = false
            state.awaitedKids.removeAll()
        }
    }

    /// True when whoever shows a token with this unknown key id should wait for a fetch: one begins with this answer,
    /// or one that began with an earlier answer is still under way. False when the key id was missing from a fetch less
    /// than 30 seconds ago, or when unknown key ids caused a fetch less than a cool-down ago.
    ///
    /// The caller starts the fetch, or joins the one that runs, and reports its end by `install` or `fetchFailed`.
    package func mayRefetch(forUnknownKid kid: String?, now: Instant) -> Bool {
        guard isRemote else { return false }
        let kid = Self.bytes(of: kid)
        return state.withLock { state in
            if let until = state.missingKids[kid], now < until { return false }
            let isCoolingDown = state.unknownKidFetchAt.map { now < $0.advanced(by: state.cooldown) } ?? false
            if isCoolingDown {
                // A fetch that never reports must not make requests wait for ever, so waiting ends with the cool-down.
                if state.isFetchAwaited, state.awaitedKids.count < Self.missingKidLimit {
                    state.awaitedKids.insert(kid)
                }
                return state.isFetchAwaited
            }
            state.unknownKidFetchAt = now
            state.isFetchAwaited = true
            state.awaitedKids = [kid]
            return true
        }
    }

    /// Keys were put in force once, however old they are.
    package var hasKeys: Bool { state.withLock { $0.set != nil } }

    /// True when the fetcher should have brought newer keys by now.
    package func isStale(now: Instant) -> Bool {
        state.withLock { state in state.set == nil || now >= state.freshUntil }
    }

    /// What the admin listener shows.
    package func status(now: Instant) -> KeySetStatus {
        state.withLock { state in
            KeySetStatus(
                name: name, isRemote: isRemote, generation: generationCounter.load(ordering: .relaxed), set: state.set,
                isUsable: state.set != nil && now.nanoseconds < usableUntil.load(ordering: .relaxed),
                fetchedAt: state.fetchedAt,
                freshFor: state.set == nil || state.freshUntil == .distantFuture ? nil : state.freshUntil.since(now),
                lastError: state.lastError, lastErrorAt: state.lastErrorAt,
                consecutiveFailures: state.consecutiveFailures, missingKids: state.missingKids.count)
        }
    }

    private func publishEnd(of state: State) {
        usableUntil.store(state.freshUntil.advanced(by: state.staleLimit).nanoseconds, ordering: .relaxed)
    }

    /// Forgets what no longer counts and notes which awaited key ids a fetch did not bring.
    private func settleAwaitedKids(of state: inout State, in set: KeySet, now: Instant) {
        let present = Set(set.keys.map { Self.bytes(of: $0.kid) })
        state.missingKids = state.missingKids.filter { now < $0.value && !present.contains($0.key) }
        for kid in state.awaitedKids where !present.contains(kid) {
            guard state.missingKids.count < Self.missingKidLimit else { break }
            state.missingKids[kid] = now.advanced(by: Self.missingKidLifetime)
        }
        state.awaitedKids.removeAll()
        state.isFetchAwaited = false
    }

    /// A key id as bytes, which compare exactly; a missing one is a byte no UTF-8 has.
    private static func bytes(of kid: String?) -> [UInt8] { kid.map { Array($0.utf8) } ?? [0xFF] }
}
