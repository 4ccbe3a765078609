import CLinux
import Core
import Dispatch
import Policy

/// Keeps the addresses of upstream servers up to date while a policy is in force: addresses behind a name change without notice, and
/// a name that could not be resolved may be resolved later. Belongs to one queue, which it never blocks.
final class NameWatch: @unchecked Sendable {
    /// Answers that come this close together are put in force together.
    private static let gathering: DispatchTimeInterval = .milliseconds(10)

    private let queue: DispatchQueue
    private let lookups: NameLookups
    private let log: OperatorLog
    private let changed: @Sendable () -> Void
    private let timer: any DispatchSourceTimer
    private var schedule = NameSchedule()
    private var isChanging = false

    /// `changed` is called on `queue` when some name has other addresses than before.
    init(queue: DispatchQueue, lookups: NameLookups, log: OperatorLog, changed: @escaping @Sendable () -> Void) {
        self.queue = queue
        self.lookups = lookups
        self.log = log
        self.changed = changed
        timer = DispatchSource.makeTimerSource(queue: queue)
        timer.setEventHandler { @Sendable [weak self] in self?.askDue() }
        timer.schedule(deadline: .distantFuture)
        timer.activate()
    }

    deinit { timer.cancel() }

    /// What is known of every name now.
    var answers: [String: NameAnswer] { schedule.answers }

    /// Follows the names of a policy, with what its loading found out.
    func adopt(_ loaded: [String: NameAnswer]) {
        schedule.adopt(loaded, now: Self.now)
        askDue()
    }

    /// Looks up every name now.
    func hasten() {
        schedule.hasten(now: Self.now)
        askDue()
    }

    private static var now: Instant { Instant(nanoseconds: linux_monotonic_ns()) }

    private func askDue() {
        for host in schedule.takeDue(now: Self.now) {
            lookups.ask(host, isRenewal: true) { [weak self] outcome in
                guard let self else { return }
                self.queue.async { self.take(outcome, for: host) }
            }
        }
        arm()
    }

    private func arm() {
        guard let due = schedule.nextDue else { return timer.schedule(deadline: .distantFuture) }
        let wait = max(due.since(Self.now), 0)
        timer.schedule(deadline: .now() + .nanoseconds(Int(wait)), leeway: .milliseconds(100))
    }

    private func take(_ outcome: NameLookups.Outcome, for host: String) {
        switch schedule.take(outcome, for: host, now: Self.now) {
        case .none: break
        case .moved(let addresses):
            log.info("the name \(host) has other addresses now: \(Self.list(addresses))")
            gatherChange()
        case .resolved(let addresses):
            log.info("the name \(host) is resolved now: \(Self.list(addresses))")
            gatherChange()
        case .failed(let message, let keepsAddresses):
            log.warning(keepsAddresses ? "\(message); its old addresses stay" : message)
            gatherChange()
        }
        arm()
    }

    private func gatherChange() {
        guard !isChanging else { return }
        isChanging = true
        queue.asyncAfter(deadline: .now() + Self.gathering) { [weak self] in
            guard let self else { return }
            self.isChanging = false
            self.changed()
        }
    }

    private static func list(_ addresses: [IPAddress]) -> String { addresses.map(\.description).joined(separator: ", ") }
}
