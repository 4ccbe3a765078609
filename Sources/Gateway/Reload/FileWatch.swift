import CLinux
import Core
package import Dispatch

private import Glibc

/// Tells when one of a set of files changed, however it was changed: written in place, renamed over, or swapped by a
/// symbolic link as Kubernetes does with mounted configuration.
///
/// Not files but the directories they stand in are watched, and those of every symbolic link on the way, so that a name
/// that goes away and comes back is seen. Events are gathered until 50 ms pass without one, 500 ms at most. Then the
/// files are looked at, and `changed` is called only when one of them is another file than before or was written to.
///
/// A file that is written in place is not looked at before its writer closes it (`OpenWrites`). A file that differs though no event
/// told of it, as on network file systems, is looked at again until it stays as it is.
///
/// Everything happens on one queue; `watch` is called there too.
package final class FileWatch: @unchecked Sendable {
    private static let quiet: Nanoseconds = .milliseconds(50)
    private static let patience: Nanoseconds = .milliseconds(500)
    /// How often files are looked at without an event: network file systems do not tell of changes made elsewhere.
    private static let lookInterval = 10
    /// How long a file that changes without an event has to stay as it is, and for how long that is waited for.
    private static let stability: Nanoseconds = .seconds(1)

    private let queue: DispatchQueue
    private let changed: @Sendable () -> Void
    private let report: @Sendable (_ line: String, _ isWarning: Bool) -> Void
    private let descriptor: Int32?
    private var events: (any DispatchSourceRead)?
    private let timer: any DispatchSourceTimer
    private let look: any DispatchSourceTimer

    private var states: [String: FileIdentity?] = [:]
    private var trail = PathTrail(of: [])
    /// Watch number → names that matter in its directory.
    private var watches: [Int32: Set<String>] = [:]
    /// Watch number → path of its directory.
    private var directories: [Int32: String] = [:]
    private var writes = OpenWrites()
    private var firstEvent: Instant?
    /// An event told of what differs.
    private var sawEvent = false
    private var wasWrittenTo = false
    /// What differed at the last look, without an event that told of it, and since when it keeps changing.
    private var unstable: (states: [String: FileIdentity?], since: Instant)?

    /// `changed` is called on `queue`. Where inotify is not to be had, files are looked at every ten seconds.
    /// - Parameter report: takes what the operator is to know of files that are waited for.
    package init(
        queue: DispatchQueue, report: @escaping @Sendable (_ line: String, _ isWarning: Bool) -> Void = { _, _ in },
        changed: @escaping @Sendable () -> Void
    ) {
        self.queue = queue
        self.changed = changed
        self.report = report
        let result = linux_inotify()
        descriptor = result >= 0 ? Int32(truncatingIfNeeded: result) : nil
        timer = DispatchSource.makeTimerSource(queue: queue)
        look = DispatchSource.makeTimerSource(queue: queue)
        timer.setEventHandler { @Sendable [weak self] in self?.settle() }
        timer.schedule(deadline: .distantFuture)
        timer.activate()
        look.setEventHandler { @Sendable [weak self] in self?.settle() }
        look.schedule(
            deadline: .now() + .seconds(Self.lookInterval), repeating: .seconds(Self.lookInterval), leeway: .seconds(1))
        look.activate()
        if let descriptor { readEvents(from: descriptor) }
    }

    deinit {
        events?.cancel()
        timer.cancel()
        look.cancel()
    }

    private func readEvents(from descriptor: Int32) {
        let source = DispatchSource.makeReadSource(fileDescriptor: descriptor, queue: queue)
        source.setEventHandler { @Sendable [weak self] in self?.drain() }
        source.setCancelHandler { @Sendable in close(descriptor) }
        source.activate()
        events = source
    }

    /// Watches these files instead of the ones before. A file that already differs from what was seen of it counts as
    /// changed, so nothing is missed between reading the files and this call.
    package func watch(_ files: [WatchedFile]) {
        states = [:]
        for file in files { states[file.path] = .some(file.seen) }
        follow()
        if differs() { noteEvent() }
    }

    // MARK: Events

    /// Files are looked at soon.
    var isSettling: Bool { firstEvent != nil }

    /// A watched file is being written to: what it holds now is probably half of what it will.
    package var isBeingWritten: Bool {
        drain()
        return !writes.isEmpty
    }

    /// The files are what `watch` was told last, and none is being written to.
    package var isAsSeen: Bool { !isBeingWritten && !differs() }

    /// Takes in what the kernel has to tell.
    func drain() {
        guard let descriptor else { return }
        var concerns = false
        while true {
            let bytes = unsafe [UInt8](unsafeUninitializedCapacity: 4096) { buffer, count in
                count = max(unsafe linux_read(descriptor, buffer.baseAddress, buffer.count), 0)
            }
            if bytes.isEmpty { break }
            for event in DirectoryEvent.parse(bytes.span) {
                if event.concernsDirectory {
                    concerns = true
                } else if let names = watches[event.watch], names.contains(event.name) {
                    concerns = true
                    sawEvent = true
                    // Two writes within one tick of the file system's clock leave size and time as they were.
                    if event.isModification { wasWrittenTo = true }
                    writes.note(event, now: Self.now) { isEmptyFile(event) }
                }
            }
        }
        if concerns { noteEvent() }
    }

    private static var now: Instant { Instant(nanoseconds: linux_monotonic_ns()) }

    private func isEmptyFile(_ event: DirectoryEvent) -> Bool {
        guard let directory = directories[event.watch], let file = FileIdentity(path: "\(directory)/\(event.name)") else { return false }
        return file.isRegularFile && file.size == 0
    }

    private func noteEvent() {
        let now = Self.now
        let first = firstEvent ?? now
        firstEvent = first
        let wait = min(Self.quiet, first.advanced(by: Self.patience).since(now))
        timer.schedule(deadline: .now() + .nanoseconds(Int(max(wait, 0))), leeway: .milliseconds(1))
    }

    /// Looks at the files after events, and calls `changed` if they are not what they were.
    private func settle() {
        firstEvent = nil
        timer.schedule(deadline: .distantFuture)
        follow()
        if waitsForWriters() { return }
        let differs = differs()
        guard differs || wasWrittenTo else {
            (sawEvent, unstable) = (false, nil)
            return
        }
        if !sawEvent, waitsForStability() { return }
        (sawEvent, wasWrittenTo, unstable) = (false, false, nil)
        for path in states.keys { states[path] = .some(FileIdentity(path: path)) }
        changed()
    }

    /// Some file is being written to; looks again when that is over, or has taken too long.
    private func waitsForWriters() -> Bool {
        let now = Self.now
        for name in writes.takeUnreported(now: now) {
            report("\(OneLine.plain(name)) is being written to: changes wait until it is closed, at most 30 s", false)
        }
        for name in writes.takeExpired(now: now) {
            report("\(OneLine.plain(name)) was written to and not closed within 30 s: it is read as it is", true)
        }
        guard let due = writes.nextDue else { return false }
        lookAgain(in: due.since(now))
        return true
    }

    /// Nothing tells whether its writer has finished; looks again until nothing changes any more.
    private func waitsForStability() -> Bool {
        let now = Self.now
        var found: [String: FileIdentity?] = [:]
        for path in states.keys { found[path] = .some(FileIdentity(path: path)) }
        let since = unstable?.since ?? now
        if unstable?.states == found || now.since(since) >= OpenWrites.patience { return false }
        unstable = (found, since)
        lookAgain(in: Self.stability)
        return true
    }

    private func lookAgain(in wait: Nanoseconds) {
        timer.schedule(deadline: .now() + .nanoseconds(Int(max(wait, 1_000_000))), leeway: .milliseconds(10))
    }

    private func differs() -> Bool {
        states.contains { path, seen in FileIdentity(path: path) != seen }
    }

    // MARK: Directories

    /// Watches the directories that decide where the paths lead now. Looked up again once watched, since a link may
    /// have moved in between.
    private func follow() {
        guard let descriptor else { return }
        for _ in 0..<4 {
            let found = PathTrail(of: states.keys)
            var next: [Int32: Set<String>] = [:]
            directories = [:]
            for (directory, names) in found.names {
                let watch = unsafe linux_inotify_add(descriptor, directory, DirectoryEvent.interest)
                guard watch >= 0 else { continue }
                next[Int32(truncatingIfNeeded: watch), default: []].formUnion(names)
                directories[Int32(truncatingIfNeeded: watch)] = directory
            }
            for watch in watches.keys where next[watch] == nil { _ = linux_inotify_remove(descriptor, watch) }
            let isSettled = found == trail && next == watches
            trail = found
            watches = next
            writes.keep { next[$0] != nil }
            if isSettled { return }
        }
    }
}
