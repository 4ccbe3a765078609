import Core
import Dispatch
import IO

/// Loads policies one at a time, and again when a file of theirs changes. Everything that waits for a file system happens on a queue
/// of its own, so that the control queue heeds signals meanwhile, however much there is to read, to test and to look up. What asks for
/// a load while one is under way causes one more behind it, whatever the number. Its calls belong to the control queue.
final class PolicyLoader: @unchecked Sendable {
    private let source: PolicySource
    private let control: DispatchQueue
    private let log: OperatorLog
    private let files = DispatchQueue(label: "portcullis.files", qos: .utility)
    private var isLoading = false
    private var nextCause: String?

    // Belong to the queue of files.
    private var watch: FileWatch?
    /// Since when loaded policies are put aside because their files changed while they were read.
    private var unsettledSince: Instant?

    /// The policy in force, which the next one is loaded beside. Called on the control queue.
    var previous: () -> CompiledPolicy = { preconditionFailure("set before the first load") }
    /// Takes what was loaded, and what caused it. Called on the control queue.
    var take: (PolicyLoad, String) -> Void = { _, _ in }

    init(source: PolicySource, control: DispatchQueue, log: OperatorLog) {
        self.source = source
        self.control = control
        self.log = log
    }

    /// Begins to watch the files that the policy in force was made from. `completion` is called on the control queue when no change can
    /// be missed any more.
    func watch(_ watched: [WatchedFile], _ completion: @escaping @Sendable () -> Void) {
        let report: @Sendable (String, Bool) -> Void = { [log] line, isWarning in isWarning ? log.warning(line) : log.info(line) }
        files.async {
            let watch = FileWatch(queue: self.files, report: report) { [weak self] in
                guard let self else { return }
                self.control.async { self.load(because: "file changed") }
            }
            watch.watch(watched)
            self.watch = watch
            self.control.async(execute: completion)
        }
    }

    /// Loads the policy as the files are from now on.
    func load(because cause: String) {
        guard !isLoading else {
            nextCause = cause
            return
        }
        isLoading = true
        let previous = previous()
        files.async {
            let load = self.loadWhole(beside: previous, because: cause)
            self.control.async { self.finished(load, cause) }
        }
    }

    private func finished(_ load: PolicyLoad?, _ cause: String) {
        isLoading = false
        if let load { take(load, cause) }
        if let cause = nextCause {
            nextCause = nil
            self.load(because: cause)
        }
    }

    /// Nil where some file is being written to, or changed while it was read: what was read may be half of each. The watch asks for
    /// another load when the files have settled; those that never settle are taken as they are in the end. On the queue of files.
    private func loadWhole(beside previous: CompiledPolicy, because cause: String) -> PolicyLoad? {
        if watch?.isBeingWritten ?? false {
            log.info("reload (\(cause)) waits until a file is written")
            return nil
        }
        let load = source.load(previous: previous)
        guard let watch else { return load }
        watch.watch(load.watchedFiles)
        let now = EventLoop.readClocks().instant
        if watch.isAsSeen || now.since(unsettledSince ?? now) >= OpenWrites.patience {
            unsettledSince = nil
            return load
        }
        unsettledSince = unsettledSince ?? now
        return nil
    }
}
