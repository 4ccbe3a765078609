package import Core
import Dispatch
import Policy
package import Store
import Synchronization

/// The one owner of the store in this process: everything it holds in memory, and the only way to change it.
///
/// A change is decided from memory, committed, applied to memory and published, in this order; only then is it answered. So an
/// answer is durable, and the next request on every loop sees what it says. Changes that come while another is being committed go
/// into the next commit together, but for those of the administrator, which have commits of their own ahead of all that wait.
/// Everything happens on a serial queue of its own.
package final class Registry: @unchecked Sendable {
    /// Changes of one commit.
    private static let batchLimit = 256
    /// Times that a decision is made anew because another process was quicker.
    private static let conflictLimit = 16
    /// Keys whose use is remembered between two writings; that of others is not counted.
    private static let usageLimit = 100_000

    private let queue = DispatchQueue(label: "portcullis.registry", qos: .userInitiated)
    private let open: @Sendable () throws(StoreFault) -> any CredentialStore
    private let publish: @Sendable (StoreIndex?, RegistryChange) -> Void
    private let report: @Sendable (String) -> Void
    private let timing: RegistryTiming
    private let shown = Mutex(RegistryStatus(revision: 0, isLoaded: false, fault: nil, keys: 0, users: 0))

    /// What waits for its turn on the queue, which is asked for once for each.
    private let line = Mutex(RegistryLine())
    /// Changes of a commit that the store refused, to be made one by one.
    private var retries = FIFO<any PendingChange>()
    private var store: (any CredentialStore)?
    private var index = StoreIndex()
    private var revision: Int64 = 0
    private var fault: StoreFault?
    private var usage: [String: KeyUsage] = [:]
    /// What is written of it, read when somebody asks; nil again once more may have been written.
    private var writtenUsage: [String: KeyUsage]?
    private var timer: (any DispatchSourceTimer)?
    private var nextOpening = Instant(nanoseconds: .min)
    private var nextUsageWriting = Instant(nanoseconds: .min)
    private var maintenance: Maintenance?

    /// Changes that time alone calls for, and what is told of them; asked about once a second.
    package struct Maintenance: Sendable {
        package var round: @Sendable (StoreIndex, WallTime) -> (changes: [StoreChange], answer: [AuditEvent])
        /// Told of a round whose changes are durable.
        package var tell: @Sendable ([AuditEvent]) -> Void

        package init(
            round: @escaping @Sendable (StoreIndex, WallTime) -> (changes: [StoreChange], answer: [AuditEvent]),
            tell: @escaping @Sendable ([AuditEvent]) -> Void
        ) {
            self.round = round
            self.tell = tell
        }
    }

    /// - Parameters:
    ///   - open: opens the store; called again after it failed.
    ///   - publish: puts in force what is in memory, on the registry's queue; nil when there is nothing to go by.
    ///   - report: a line for the operator when the store fails and when it works again.
    package init(
        open: @escaping @Sendable () throws(StoreFault) -> any CredentialStore,
        publish: @escaping @Sendable (StoreIndex?, RegistryChange) -> Void,
        report: @escaping @Sendable (String) -> Void, timing: RegistryTiming = RegistryTiming()
    ) {
        self.open = open
        self.publish = publish
        self.report = report
        self.timing = timing
    }

    /// Opens the store, reads it and publishes; blocks until that has worked or failed. From then on the registry looks
    /// after the store by itself.
    package func start(maintenance: Maintenance? = nil) {
        queue.sync {
            self.maintenance = maintenance
            openStore(now: Self.now)
            let timer = DispatchSource.makeTimerSource(queue: queue)
            let period = DispatchTimeInterval.nanoseconds(Int(timing.poll))
            timer.schedule(deadline: .now() + period, repeating: period, leeway: .milliseconds(20))
            timer.setEventHandler { @Sendable [weak self] in self?.look() }
            timer.activate()
            self.timer = timer
        }
    }

    /// Makes the changes that wait, and writes what is left to write; nothing is done afterwards.
    package func stop() {
        queue.sync {
            timer?.cancel()
            timer = nil
            while !line.withLock({ $0.isEmpty }) || !retries.isEmpty { work() }
            writeUsage()
        }
    }

    /// What is known of the store.
    package var status: RegistryStatus { shown.withLock { $0 } }

    // MARK: Asking

    /// Makes a change: decided from what the store holds, durable and in force when `completion` hears of it.
    /// - Parameters:
    ///   - requester: whose turn it is made in; refused as `overloaded` where one caller has too many waiting.
    ///   - decision: pure, since it is asked again when another process changed the store meanwhile. Throws what
    ///     becomes the answer when nothing is to be changed.
    ///   - completion: called once, on the registry's queue or at once; does not block.
    package func change<Answer: Sendable>(
        for requester: Requester,
        _ decision: @escaping @Sendable (StoreIndex) throws(ActionRefusal) -> (changes: [StoreChange], answer: Answer),
        completion: @escaping @Sendable (Result<Answer, ActionRefusal>) -> Void
    ) {
        let change = Attempt(decision, completion: completion)
        if line.withLock({ $0.add(change, for: requester) }) {
            queue.async { self.work() }
        } else {
            completion(.failure(ActionRefusal(.overloaded)))
        }
    }

    /// The same for those that may block, on a queue of their own.
    package func change<Answer: Sendable>(
        for requester: Requester = .administrator,
        _ decision: @escaping @Sendable (StoreIndex) throws(ActionRefusal) -> (changes: [StoreChange], answer: Answer)
    ) -> Result<Answer, ActionRefusal> {
        let done = DispatchSemaphore(value: 0)
        let result = Mutex<Result<Answer, ActionRefusal>>(.failure(ActionRefusal(.storeUnavailable)))
        change(for: requester, decision) { outcome in
            result.withLock { $0 = outcome }
            done.signal()
        }
        done.wait()
        return result.withLock { $0 }
    }

    /// Reads what the store holds; `completion` hears of it on the registry's queue, or at once that the caller has too much
    /// waiting.
    package func read<Answer: Sendable>(
        for requester: Requester,
        _ body: @escaping @Sendable (StoreIndex) throws(ActionRefusal) -> Answer,
        completion: @escaping @Sendable (Result<Answer, ActionRefusal>) -> Void
    ) {
        let reading: RegistryLine.Reading = {
            guard self.store != nil else {
                completion(.failure(ActionRefusal(.storeUnavailable)))
                return
            }
            completion(Result { () throws(ActionRefusal) in try body(self.index) })
        }
        if line.withLock({ $0.add(reading: reading, for: requester) }) {
            queue.async { self.work() }
        } else {
            completion(.failure(ActionRefusal(.overloaded)))
        }
    }

    /// The same for those that may block, on a queue of their own.
    func look<Answer: Sendable>(
        for requester: Requester = .administrator,
        _ body: @escaping @Sendable (StoreIndex) throws(ActionRefusal) -> Answer
    ) -> Result<Answer, ActionRefusal> {
        let done = DispatchSemaphore(value: 0)
        let result = Mutex<Result<Answer, ActionRefusal>>(.failure(ActionRefusal(.storeUnavailable)))
        read(for: requester, body) { outcome in
            result.withLock { $0 = outcome }
            done.signal()
        }
        done.wait()
        return result.withLock { $0 }
    }

    /// Looks up what is known of the use of a key, by its id, with what is not written yet. The store is read once for all who
    /// ask between two writings.
    package func usage(
        for requester: Requester, completion: @escaping @Sendable (Result<@Sendable (String) -> KeyUsage?, ActionRefusal>) -> Void
    ) {
        read(for: requester) { (_) throws(ActionRefusal) -> @Sendable (String) -> KeyUsage? in
            guard let written = self.knownUsage() else { throw ActionRefusal(.storeUnavailable) }
            let fresh = self.usage
            return { key in fresh[key].map { written[key]?.adding($0) ?? $0 } ?? written[key] }
        } completion: {
            completion($0)
        }
    }

    private func knownUsage() -> [String: KeyUsage]? {
        guard let store else { return nil }
        if let writtenUsage { return writtenUsage }
        guard let written = try? store.usage() else { return nil }
        writtenUsage = Dictionary(written.map { ($0.key, $0) }) { first, _ in first }
        return writtenUsage
    }

    /// Adds to the use of keys; written from time to time.
    package func record(_ fresh: [KeyUsage]) {
        queue.async {
            for one in fresh {
                if let known = self.usage[one.key] {
                    self.usage[one.key] = known.adding(one)
                } else if self.usage.count < Self.usageLimit {
                    self.usage[one.key] = one
                }
            }
        }
    }

    /// Publishes the keys of some key sets anew, for a policy that has them in other places. Blocks until that is done, so that the
    /// policy's first request finds them, but no longer than `wait`: the store may hold this queue up, and may not hold up who calls.
    func republish(keySets: Set<String>, wait: Nanoseconds = .milliseconds(250)) {
        var change = RegistryChange()
        change.keySets = keySets
        let done = DispatchSemaphore(value: 0)
        queue.async { [change] in
            if self.store != nil { self.publish(self.index, change) }
            done.signal()
        }
        _ = done.wait(timeout: .now() + .nanoseconds(Int(wait)))
    }

    // MARK: Changes

    /// Does a part of what waits, so that what the administrator asks for meanwhile waits for no more than that. Called once for
    /// each that was added to the line, and each call takes one at least.
    private func work() {
        let urgent = line.withLock { $0.urgentChanges(atMost: Self.batchLimit) }
        if !urgent.isEmpty { make(urgent) }
        line.withLock { $0.urgentReading() }?()
        if let retry = retries.popFirst() {
            make([retry])
        } else {
            let batch = line.withLock { $0.callersChanges(atMost: Self.batchLimit) }
            if !batch.isEmpty { make(batch) }
        }
        line.withLock { $0.callersReading() }?()
    }

    /// Decides and commits changes together. Where one of them contradicts the store, each is made by itself, so that the others
    /// do not fail.
    private func make(_ batch: [any PendingChange]) {
        let failure = commit(batch)
        if batch.count > 1, failure?.denial == .resourceConflict {
            for change in batch {
                retries.append(change)
                queue.async { self.work() }
            }
        } else {
            for change in batch { change.finish(failure) }
        }
    }

    /// Nil when everything decided is durable and in force.
    private func commit(_ batch: [any PendingChange]) -> ActionRefusal? {
        var isDecidedAnew = false
        for _ in 0..<Self.conflictLimit {
            guard let store else { return ActionRefusal(.storeUnavailable) }
            var changes: [StoreChange] = []
            var undo: [StoreChange] = []
            for pending in batch {
                let decided = pending.decide(index)
                for change in decided { index.apply(change, undo: &undo) }
                changes += decided
            }
            if changes.isEmpty { return nil }
            do throws(StoreFault) {
                revision = try store.commit(changes, at: revision)
                noteFault(nil)
                publish(index, Self.touched(by: changes + undo))
                showState()
                return nil
            } catch .conflict {
                index.takeBack(undo)
                guard reload(from: store) else { return ActionRefusal(.storeUnavailable) }
            } catch .inconsistent(let reason) {
                index.takeBack(undo)
                // The store works; what was decided from is not what it holds, as when somebody writes into it by hand.
                guard !isDecidedAnew else {
                    report(StoreFault.inconsistent(reason).message)
                    return ActionRefusal(.resourceConflict, messages: ["What is stored contradicts the change"])
                }
                isDecidedAnew = true
                guard reload(from: store) else { return ActionRefusal(.storeUnavailable) }
            } catch {
                index.takeBack(undo)
                noteFault(error)
                return ActionRefusal(.storeUnavailable)
            }
        }
        return ActionRefusal(.storeUnavailable)
    }

    private static func touched(by changes: [StoreChange]) -> RegistryChange {
        var touched = RegistryChange()
        for change in changes { touched.add(change) }
        return touched
    }

    // MARK: The store

    private static var now: Instant { Instant(nanoseconds: Int64(clamping: DispatchTime.now().uptimeNanoseconds)) }

    private func openStore(now: Instant) {
        nextOpening = now.advanced(by: timing.reopen)
        do throws(StoreFault) {
            let opened = try open()
            let contents = try opened.contents()
            store = opened
            adopt(contents)
            noteFault(nil)
        } catch {
            noteFault(error)
            publish(nil, .all)
        }
        showState()
    }

    private func adopt(_ contents: StoreContents) {
        index = StoreIndex(contents)
        revision = contents.revision
        publish(index, .all)
    }

    private func reload(from store: any CredentialStore) -> Bool {
        do throws(StoreFault) {
            adopt(try store.contents())
            noteFault(nil)
            showState()
            return true
        } catch {
            noteFault(error)
            return false
        }
    }

    /// What is done from time to time.
    private func look() {
        let now = Self.now
        guard let store else {
            if now >= nextOpening { openStore(now: now) }
            return
        }
        do throws(StoreFault) {
            if try store.revision() != revision { _ = reload(from: store) }
        } catch {
            noteFault(error)
        }
        if now >= nextUsageWriting {
            nextUsageWriting = now.advanced(by: timing.usage)
            writeUsage()
            writtenUsage = nil
            maintain()
        }
    }

    private func maintain() {
        guard let maintenance else { return }
        let wall = WallClock.now()
        let due = Attempt<[AuditEvent]>({ index in maintenance.round(index, wall) }) {
            if case .success(let events) = $0 { maintenance.tell(events) }
        }
        make([due])
    }

    private func writeUsage() {
        guard let store, !usage.isEmpty else { return }
        do throws(StoreFault) {
            try store.record(Array(usage.values))
            usage.removeAll(keepingCapacity: true)
        } catch {
            noteFault(error)
        }
    }

    /// Tells the operator once when something begins to be wrong, and once when it is right again.
    private func noteFault(_ now: StoreFault?) {
        guard now != fault else { return }
        fault = now
        report(now?.message ?? "the store can be used again")
        showState()
    }

    private func showState() {
        let status = RegistryStatus(
            revision: revision, isLoaded: store != nil, fault: fault?.message, keys: index.keys.count,
            users: index.users.count)
        shown.withLock { $0 = status }
    }
}

extension KeyUsage {
    /// With more of it.
    fileprivate func adding(_ more: KeyUsage) -> KeyUsage {
        KeyUsage(key: key, count: count &+ more.count, lastUsedAt: max(lastUsedAt, more.lastUsedAt))
    }
}
