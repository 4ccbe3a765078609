import CLinux
import Core
import Dispatch
package import IO
package import Policy
import Synchronization
import TokenService

private import Glibc

/// The running gateway: loops, listeners, signals, reload and drain. Everything here happens on one control queue; the
/// loops are told by `submit`.
package final class GatewayServer: @unchecked Sendable {
    private let shared: SharedState
    /// Nothing here waits for files, names, other queues' work or standard error, so that signals are heeded at once.
    private let control = DispatchQueue(label: "portcullis.control")
    private let loader: PolicyLoader
    private let names: NameWatch
    private var workers: [Worker] = []
    private var policy: CompiledPolicy
    private var listeners: [OpenListener] = []
    private var listenersOpened = 0
    /// Addresses that another process listens on are shared with it, instead of refused.
    private let takesOver: Bool
    /// Signals are heeded from then on; those that came before wait.
    private let hasStarted = DispatchSemaphore(value: 0)
    private var usageTimer: (any DispatchSourceTimer)?
    /// Of the policy in force, without their places in the file.
    private var toldWarnings: Set<String> = []
    private var ending = Ending.none
    /// With which the process ends.
    private var exitStatus: Int32 = 0
    /// Loops that still have clients, or that have yet to cut them; and which request to say so that counts.
    private var undrained = 0
    private var drainRound = 0

    /// How long operators have for answers to what they asked before the end.
    private static let lastAnswers: DispatchTimeInterval = .milliseconds(250)

    /// How far the end of the process is.
    private enum Ending {
        case none
        /// Not ready any more, and everything is still served.
        case announced
        /// The traffic listeners are closed.
        case draining
        case cutting
        case leaving
    }

    /// A listener as configured and the port it really has.
    private struct OpenListener: Equatable {
        var configured: SocketEndpoint
        var actual: SocketEndpoint
        var role: ListenerRole
        var isSecure = false
        /// Tells this opening from an earlier one of the same address.
        var number = 0
    }

    /// Opens every listener of `policy`; nothing is served before `run`.
    /// - Parameter warnings: what the loading of the policy had to say.
    /// - Parameter takesOver: shares addresses that another process listens on; otherwise they are an error.
    package init(
        source: PolicySource, policy: CompiledPolicy, warnings: [Diagnostic], takesOver: Bool, log: OperatorLog
    ) throws(SystemError) {
        self.policy = policy
        self.takesOver = takesOver
        shared = SharedState(policy: policy, log: log)
        loader = PolicyLoader(source: source, control: control, log: log)
        let changed = NamesChanged()
        names = NameWatch(queue: control, lookups: source.lookups, log: log) { changed.server?.adoptNames() }
        tell(warnings)
        let count = policy.snapshot.configuration.loops ?? Process.processorCount
        for index in 0..<count { workers.append(try Worker(index: index, policy: policy, shared: shared)) }
        shared.enlist(workers)
        for wanted in Self.wantedListeners(of: policy) { try open(wanted, for: policy) }
        changed.server = self
        loader.previous = { [unowned self] in self.policy }
        loader.take = { [unowned self] load, cause in self.loaded(load, cause) }
    }

    /// Lets a closure refer to the server before that is whole. Set once, before the control queue has work.
    private final class NamesChanged: @unchecked Sendable {
        weak var server: GatewayServer?
    }

    /// Serves until a signal ends the process.
    package func run() -> Never {
        var heeded = Self.blockSignals()
        // Before the first request: what the store holds is in force from the start.
        shared.tokens.start(policy.snapshot)
        for worker in workers { worker.loop.start() }
        control.async { self.started() }
        hasStarted.wait()
        while true {
            var number: Int32 = 0
            guard unsafe sigwait(&heeded, &number) == 0 else { continue }
            let taken = number
            control.async { self.received(taken) }
        }
    }

    private func started() {
        names.adopt(policy.names)
        shared.tell(unresolvedNames: policy)
        watchKeyUsage()
        shared.keySets.adopt(policy.keySets)
        loader.watch(policy.watchedFiles) {
            self.announce()
            self.hasStarted.signal()
        }
    }

    /// Says that requests are served and signals are heeded.
    private func announce() {
        for listener in listeners {
            let kind =
                switch listener.role {
                case .traffic: "listening"
                case .admin: "admin"
                case .probes: "probes"
                }
            shared.log.info("\(kind) on \(listener.isSecure ? "https" : "http")://\(listener.actual)")
        }
        shared.isReady.store(true, ordering: .releasing)
        shared.log.info("ready")
    }

    // MARK: Listeners

    private static func wantedListeners(of policy: CompiledPolicy) -> [OpenListener] {
        let configuration = policy.snapshot.configuration
        var wanted = configuration.listeners.map {
            OpenListener(configured: $0.address, actual: $0.address, role: .traffic, isSecure: $0.tls != nil)
        }
        if let admin = configuration.admin {
            wanted.append(
                OpenListener(configured: admin.address, actual: admin.address, role: .admin, isSecure: admin.tls != nil))
            if let probes = admin.probes {
                wanted.append(OpenListener(configured: probes.address, actual: probes.address, role: .probes))
            }
        }
        return wanted
    }

    /// SO_REUSEPORT, by which the loops share an address, would let another process of the same user share it unnoticed: each would
    /// serve a part of the connections, by its own policy.
    private func refuseShared(_ address: SocketEndpoint) throws(SystemError) {
        // Sockets of ours on the same port look like those of others; a reload may move a listener to a wider address.
        guard address.port != 0, !listeners.contains(where: { $0.actual.port == address.port }) else { return }
        guard try Sockets.isListenedOn(address) else { return }
        let holder = Sockets.processListening(onPort: address.port).map { "process \($0)" } ?? "another process"
        guard takesOver else {
            throw SystemError(
                call: "\(address): \(holder) listens there; end it first, or start with `serve --takeover` to share the address",
                code: EADDRINUSE)
        }
        shared.log.warning("\(address): \(holder) listens there too; each gets a part of the connections until one ends")
    }

    /// Opens one socket for each loop; those for operators live on the first loop alone.
    private func open(_ wanted: OpenListener, for policy: CompiledPolicy) throws(SystemError) {
        try refuseShared(wanted.actual)
        var listener = wanted
        var sockets: [(Worker, Int32)] = []
        do throws(SystemError) {
            for worker in wanted.role == .traffic ? workers : Array(workers.prefix(1)) {
                let descriptor = try Sockets.listen(on: listener.actual)
                // Port 0 asked for any port: the others share the one the first was given.
                listener.actual = Sockets.localEndpoint(of: descriptor)
                sockets.append((worker, descriptor))
            }
        } catch {
            for (_, descriptor) in sockets { Sockets.closeDescriptor(descriptor) }
            throw error
        }
        listenersOpened += 1
        listener.number = listenersOpened
        let number = listener.number
        let terms = policy.terms(of: wanted.role, at: wanted.configured)
        for (worker, descriptor) in sockets {
            worker.loop.submit { [log = shared.log] in
                do throws(SystemError) {
                    let socket = try ListenerSocket(
                        worker: worker, descriptor: descriptor, role: wanted.role, number: number,
                        configured: wanted.configured)
                    if let terms { socket.adopt(terms) }
                    worker.add(socket)
                } catch {
                    log.error("cannot watch listener: \(error)")
                }
            }
        }
        listeners.append(listener)
    }

    /// Opens what is new first, so that a policy whose listeners cannot be opened changes nothing.
    private func adoptListeners(of policy: CompiledPolicy) throws(SystemError) {
        let wanted = Self.wantedListeners(of: policy)
        let before = listeners
        // What is about to close opens nothing, and operators are answered to the end.
        let isEnding = ending != .none
        func isSame(_ a: OpenListener, _ b: OpenListener) -> Bool {
            a.configured == b.configured && a.role == b.role
        }
        let gone = before.filter { old in !wanted.contains { isSame(old, $0) } && (!isEnding || old.role == .traffic) }
        if isEnding { return close(gone) }
        do throws(SystemError) {
            for new in wanted where !before.contains(where: { isSame($0, new) }) { try open(new, for: policy) }
        } catch {
            close(Array(listeners.dropFirst(before.count)))
            throw error
        }
        close(gone)
    }

    private func close(_ gone: [OpenListener]) {
        guard !gone.isEmpty else { return }
        listeners.removeAll { old in gone.contains(old) }
        let numbers = gone.map(\.number)
        for worker in workers {
            worker.loop.submit {
                worker.loop.round { worker.closeListeners { numbers.contains($0.number) } }
            }
        }
    }

    // MARK: Reload

    private func reload(because cause: String) {
        switch ending {
        case .none, .announced, .draining: loader.load(because: cause)
        case .cutting, .leaving: break
        }
    }

    /// All or nothing: a policy that does not compile, or whose listeners cannot be opened, changes nothing.
    private func loaded(_ loaded: PolicyLoad, _ cause: String) {
        if ending == .cutting || ending == .leaving { return }
        guard var next = loaded.policy else {
            let errors = loaded.diagnostics.filter { $0.severity == .error }.map(\.description)
            refuse(errors.isEmpty ? ["the policy cannot be read"] : errors, cause)
            return
        }
        do throws(SystemError) {
            try adoptListeners(of: next)
        } catch {
            refuse([error.description], cause)
            return
        }
        tell(loaded.diagnostics)
        warnOfRestartMembers(next.snapshot.configuration)
        // What was found out about names while the policy was loaded is newer than what it was loaded with.
        names.adopt(next.names)
        next.names = names.answers
        next.upstreams = UpstreamResolution.resolved(next.upstreams, answers: next.names)
        let adopted = next
        policy = adopted
        shared.adopt(adopted)
        for worker in workers {
            worker.loop.submit { worker.loop.round { worker.adopt(adopted) } }
        }
        shared.reloads.succeeded()
        shared.log.info("reloaded (\(cause)): \(next.snapshot.routes.count) routes")
    }

    /// Those that were told of the policy before are not told again, though their place may have moved.
    private func tell(_ warnings: [Diagnostic]) {
        let before = toldWarnings
        toldWarnings = Set(warnings.map { "\($0.path): \($0.message)" })
        for warning in warnings where !before.contains("\(warning.path): \(warning.message)") { shared.log.tell(warning) }
    }

    /// Says what of a new policy waits for the next start.
    private func warnOfRestartMembers(_ next: Configuration) {
        let current = policy.snapshot.configuration
        if next.loops != current.loops { shared.log.info("\"loops\" has changed: it is read at the start only") }
        if next.store?.sqlite.value != current.store?.sqlite.value
            || next.store?.encryptionKey?.value != current.store?.encryptionKey?.value
        {
            shared.log.info("\"store\" has changed: it is opened at the start only")
        }
        if next.bounds.bucketLimit != current.bounds.bucketLimit {
            shared.log.info("\"bounds.buckets\" has changed: it is read at the start only")
        }
    }

    // MARK: Use of keys

    /// Has the loops tell from time to time which stored keys were used.
    private func watchKeyUsage() {
        guard shared.tokens.registry != nil else { return }
        let timer = DispatchSource.makeTimerSource(queue: control)
        timer.schedule(deadline: .now() + .seconds(1), repeating: .seconds(1), leeway: .milliseconds(200))
        timer.setEventHandler { @Sendable [weak self] in
            for worker in self?.workers ?? [] { worker.loop.submit { worker.tellKeyUsage() } }
        }
        timer.activate()
        usageTimer = timer
    }

    // MARK: Names

    /// Puts in force what the names of upstream servers lead to now.
    private func adoptNames() {
        policy.names = names.answers
        let upstreams = UpstreamResolution.resolved(policy.upstreams, answers: policy.names)
        shared.tell(unresolvedNames: policy)
        guard upstreams.map(\.servers) != policy.upstreams.map(\.servers) else { return }
        policy.upstreams = upstreams
        for worker in workers {
            worker.loop.submit { worker.loop.round { worker.adopt(upstreams) } }
        }
    }

    private func refuse(_ errors: [String], _ cause: String) {
        shared.reloads.failed(errors[0])
        for error in errors { shared.log.error("reload refused (\(cause)), the old policy stays: \(error)") }
    }

    // MARK: Signals

    /// Holds back the signals that the gateway heeds, on the calling thread, which is the first. Those of the dispatch library hold
    /// back all: what comes waits until `sigwait` takes it, however early it came.
    private static func blockSignals() -> sigset_t {
        var heeded = sigset_t()
        unsafe sigemptyset(&heeded)
        for number in [SIGHUP, SIGTERM, SIGINT] { unsafe sigaddset(&heeded, number) }
        unsafe pthread_sigmask(SIG_BLOCK, &heeded, nil)
        signal(SIGPIPE, SIG_IGN)
        // A file at its limit of size is a failed write, as a full disk is.
        signal(SIGXFSZ, SIG_IGN)
        return heeded
    }

    private func received(_ number: Int32) {
        if number == SIGHUP {
            shared.logWriter.reopen()
            shared.audit.reopen()
            names.hasten()
            reload(because: "SIGHUP")
            return
        }
        switch ending {
        case .none: drain()
        case .announced, .draining:
            shared.log.error("second signal: leaving at once")
            exitStatus = 1
            cut()
        case .cutting:
            exitStatus = 1
            leave("second signal: leaving at once")
        case .leaving:
            // The rest is bounded, but for the store.
            control.asyncAfter(deadline: .now() + .seconds(2)) { exit(1) }
        }
    }

    // MARK: The end

    /// Ends the process once what is under way is finished, at the latest after `drain_delay` and `drain_timeout` together.
    /// Operators are answered to the end, and from now on learn that the gateway is not ready.
    private func drain() {
        shared.isReady.store(false, ordering: .releasing)
        let delay = policy.snapshot.configuration.bounds.drainDelay
        guard delay > 0 else { return closeTraffic() }
        ending = .announced
        shared.log.info("draining: the listeners stay open for \(delay / 1_000_000) ms")
        for worker in workers { worker.loop.submit { worker.announceEnd() } }
        control.asyncAfter(deadline: .now() + .nanoseconds(Int(delay))) {
            if self.ending == .announced { self.closeTraffic() }
        }
    }

    /// Stops accepting and finishes what is under way.
    private func closeTraffic() {
        ending = .draining
        shared.log.info("draining")
        let drained = nextRound()
        for worker in workers {
            worker.loop.submit { worker.loop.round { worker.drain(drained) } }
        }
        let timeout = policy.snapshot.configuration.bounds.drainTimeout
        control.asyncAfter(deadline: .now() + .nanoseconds(Int(timeout))) {
            guard self.ending == .draining else { return }
            self.shared.log.info("drain_timeout reached: connections still open are cut")
            self.cut()
        }
    }

    /// Ends every connection, and leaves when the loops have handed over their records.
    private func cut() {
        ending = .cutting
        let cut = nextRound()
        for worker in workers {
            worker.loop.submit { worker.loop.round { worker.cut(cut) } }
        }
        // A loop that does not answer holds nobody up.
        control.asyncAfter(deadline: .now() + .seconds(1)) { self.leave("cut") }
    }

    /// What each loop calls once when it has done what is asked of it now; answers to what was asked before count no more.
    private func nextRound() -> @Sendable () -> Void {
        undrained = workers.count
        drainRound += 1
        return { [drainRound] in
            self.control.async {
                guard self.drainRound == drainRound else { return }
                self.undrained -= 1
                if self.undrained == 0 { self.leave(self.ending == .draining ? "drained" : "cut") }
            }
        }
    }

    /// Writes what is still to be written, each log within a time of its own, and ends the process. On a queue of its own, so that a
    /// signal still ends it sooner.
    private func leave(_ reason: String) {
        guard ending != .leaving else { return }
        ending = .leaving
        shared.log.info(reason)
        shared.keySets.stop()
        let answered = DispatchGroup()
        for worker in workers {
            answered.enter()
            worker.loop.submit { worker.loop.round { worker.drainOperators { answered.leave() } } }
        }
        DispatchQueue(label: "portcullis.leaving").async { [shared] in
            _ = shared.logWriter.finish()
            _ = answered.wait(timeout: .now() + Self.lastAnswers)
            shared.tokens.stop()
            shared.audit.finish()
            shared.log.finish()
            self.control.async { exit(self.exitStatus) }
        }
    }
}
