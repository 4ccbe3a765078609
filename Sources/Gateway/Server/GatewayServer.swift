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
    private let source: PolicySource
    private let shared: SharedState
    private let control = DispatchQueue(label: "portcullis.control")
    private let resolving = DispatchQueue(label: "portcullis.resolving", qos: .utility)
    private var workers: [Worker] = []
    private var policy: CompiledPolicy
    private var listeners: [OpenListener] = []
    private var listenersOpened = 0
    private var signals: [any DispatchSourceSignal] = []
    private var watch: FileWatch?
    private var nameTimer: (any DispatchSourceTimer)?
    private var usageTimer: (any DispatchSourceTimer)?
    /// Grows with each policy put in force, so that what was found out for an older one is told.
    private var policyNumber = 0
    /// Of the policy in force, without their places in the file.
    private var toldWarnings: Set<String> = []
    private var isDraining = false
    /// Loops that still have clients, or that have yet to cut them.
    private var undrained = 0

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
    package init(
        source: PolicySource, policy: CompiledPolicy, warnings: [Diagnostic], log: OperatorLog
    ) throws(SystemError) {
        self.source = source
        self.policy = policy
        shared = SharedState(policy: policy, log: log)
        tell(warnings)
        let count = policy.snapshot.configuration.loops ?? Process.processorCount
        for index in 0..<count { workers.append(try Worker(index: index, policy: policy, shared: shared)) }
        shared.enlist(workers)
        for wanted in Self.wantedListeners(of: policy) { try open(wanted, for: policy) }
    }

    /// Serves until a signal ends the process.
    package func run() -> Never {
        // Before the first request: what the store holds is in force from the start.
        shared.tokens.start(policy.snapshot)
        for worker in workers { worker.loop.start() }
        control.async { self.started() }
        dispatchMain()
    }

    private func started() {
        watchFiles()
        watchNames()
        watchKeyUsage()
        shared.keySets.adopt(policy.keySets)
        watchSignals { self.announce() }
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

    /// Opens one socket for each loop; those for operators live on the first loop alone.
    private func open(_ wanted: OpenListener, for policy: CompiledPolicy) throws(SystemError) {
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
        func isSame(_ a: OpenListener, _ b: OpenListener) -> Bool {
            a.configured == b.configured && a.role == b.role
        }
        let gone = before.filter { old in !wanted.contains { isSame(old, $0) } }
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

    private func watchFiles() {
        let watch = FileWatch(queue: control) { [weak self] in self?.reload(because: "file changed") }
        watch.watch(policy.watchedFiles)
        self.watch = watch
    }

    /// All or nothing: a policy that does not compile, or whose listeners cannot be opened, changes nothing.
    private func reload(because cause: String) {
        guard !isDraining else { return }
        let loaded = source.load(previous: policy)
        watch?.watch(loaded.watchedFiles)
        guard let next = loaded.policy else {
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
        policy = next
        policyNumber += 1
        shared.adopt(next)
        for worker in workers {
            worker.loop.submit { worker.loop.round { worker.adopt(next) } }
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

    /// Resolves the names of upstream servers again and again: addresses behind them move without a word to us.
    private func watchNames() {
        let timer = DispatchSource.makeTimerSource(queue: control)
        let period = DispatchTimeInterval.nanoseconds(Int(FixedBounds.nameRefresh))
        timer.schedule(deadline: .now() + period, repeating: period, leeway: .seconds(1))
        timer.setEventHandler { @Sendable [weak self] in self?.renewNames() }
        timer.activate()
        nameTimer = timer
    }

    private func renewNames() {
        let (number, upstreams, addresses) = (policyNumber, policy.upstreams, source.addresses)
        guard !isDraining, upstreams.contains(where: { UpstreamResolution.hasNames($0.configuration) }) else { return }
        resolving.async {
            guard let renewed = addresses.renewed(upstreams) else { return }
            self.control.async {
                // A policy that came meanwhile has resolved its own.
                guard self.policyNumber == number, !self.isDraining else { return }
                self.policy.upstreams = renewed
                for worker in self.workers {
                    worker.loop.submit { worker.loop.round { worker.adopt(renewed) } }
                }
                self.shared.log.info("an upstream's name leads to other addresses now")
            }
        }
    }

    private func refuse(_ errors: [String], _ cause: String) {
        shared.reloads.failed(errors[0])
        for error in errors { shared.log.error("reload refused (\(cause)), the old policy stays: \(error)") }
    }

    // MARK: Signals

    /// `completion` runs on the control queue when no signal can be missed any more: a source is in place only some time
    /// after it was activated, and a signal in between would be ignored.
    private func watchSignals(_ completion: @escaping @Sendable () -> Void) {
        let placed = DispatchGroup()
        for number in [SIGHUP, SIGTERM, SIGINT] {
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: control)
            placed.enter()
            source.setRegistrationHandler { @Sendable in placed.leave() }
            source.setEventHandler { @Sendable [weak self] in self?.received(number) }
            source.activate()
            signals.append(source)
        }
        signal(SIGPIPE, SIG_IGN)
        // A file at its limit of size is a failed write, as a full disk is.
        signal(SIGXFSZ, SIG_IGN)
        placed.notify(queue: control, execute: completion)
    }

    private func received(_ number: Int32) {
        if number == SIGHUP {
            shared.logWriter.reopen()
            shared.audit.reopen()
            reload(because: "SIGHUP")
        } else if isDraining {
            shared.log.error("second signal: leaving at once")
            exit(1)
        } else {
            drain()
        }
    }

    /// Stops accepting, finishes what is under way, and ends the process; at the latest after `drain_timeout`.
    private func drain() {
        isDraining = true
        shared.isReady.store(false, ordering: .releasing)
        shared.log.info("draining")
        shared.keySets.stop()
        undrained = workers.count
        for worker in workers {
            worker.loop.submit {
                worker.loop.round { worker.drain { self.control.async { self.workerDrained() } } }
            }
        }
        let timeout = policy.snapshot.configuration.bounds.drainTimeout
        control.asyncAfter(deadline: .now() + .nanoseconds(Int(timeout))) {
            self.cut()
        }
    }

    private func cut() {
        shared.log.info("drain_timeout reached: connections still open are cut")
        undrained = workers.count
        for worker in workers {
            worker.loop.submit {
                worker.loop.round { worker.cut { self.control.async { self.workerDrained() } } }
            }
        }
        // A loop that does not answer holds nobody up.
        control.asyncAfter(deadline: .now() + .seconds(1)) { self.leave("cut") }
    }

    private func workerDrained() {
        undrained -= 1
        if undrained == 0 { leave("drained") }
    }

    private func leave(_ reason: String) {
        shared.log.info(reason)
        shared.tokens.stop()
        shared.audit.finish()
        _ = shared.logWriter.finish()
        exit(0)
    }
}
