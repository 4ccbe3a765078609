import CLinux
package import Core
import Dispatch
import IO
package import Policy
import Synchronization

/// Writes the access log of all loops from a queue of its own. A slow or full disk, or a reader that went away, never
/// stops the gateway: batches wait up to a bound, then new ones are refused and their records counted as dropped, and
/// writing is tried again every second.
package final class LogWriter: Sendable {
    /// One complaint about a log that cannot be written in this span.
    private static let complaintInterval: Nanoseconds = .seconds(60)
    /// Emptied buffers kept for the loops to fill again.
    private static let spareLimit = 16

    private struct Backlog {
        var batches: [[UInt8]] = []
        /// Bytes of all batches, the one being written included.
        var bytes = 0
        var spare: [[UInt8]] = []
        /// A drain is on its way, or the wait after a failed one.
        var isScheduled = false
    }

    /// What only the queue touches.
    private final class Writing {
        var destination: AccessLogDestination
        var sink: LogSink
        /// The batch being written, and how much of it is.
        var batch: [UInt8] = []
        var offset = 0
        var complainedAt: Instant?
        var isFailing = false
        var recent = RecentRecords()

        init(_ destination: AccessLogDestination) {
            self.destination = destination
            sink = LogSink(destination)
        }
    }

    private let queue = DispatchQueue(label: "portcullis.access-log", qos: .utility)
    private let backlog = Mutex(Backlog())
    private let backlogByteLimit: Int
    private let writing: LoopBound<Writing>
    private let log: OperatorLog

    /// `backlogByteLimit` bounds the bytes that wait; the process gives `FixedBounds.accessLogBytes` for each loop.
    package init(
        destination: AccessLogDestination, backlogByteLimit: Int = FixedBounds.accessLogBytes, log: OperatorLog
    ) {
        self.backlogByteLimit = backlogByteLimit
        self.log = log
        writing = LoopBound(Writing(destination), on: queue)
    }

    /// Takes a batch of whole lines and leaves an empty buffer in its place. False, and the batch left where it is,
    /// when too much waits already. From any thread; never blocks on I/O.
    package func enqueue(_ batch: inout [UInt8]) -> Bool {
        let (isTaken, mustSchedule) = backlog.withLock { backlog in
            guard backlog.bytes + batch.count <= backlogByteLimit else { return (false, false) }
            backlog.bytes += batch.count
            backlog.batches.append(batch)
            batch = backlog.spare.popLast() ?? []
            let mustSchedule = !backlog.isScheduled
            backlog.isScheduled = true
            return (true, mustSchedule)
        }
        if mustSchedule { queue.async { self.drain() } }
        return isTaken
    }

    /// Bytes that wait to be written.
    package var pendingBytes: Int { backlog.withLock { $0.bytes } }

    /// Follows a new policy: what waits goes to the old destination as far as it can be written, the rest to the new
    /// one. What waits while there is no destination came after this call, and is for the new one.
    package func adopt(_ destination: AccessLogDestination) {
        queue.async {
            let writing = self.writing.value
            guard writing.destination != destination else { return }
            if writing.destination != .off { self.writeAll() }
            writing.destination = destination
            writing.sink = LogSink(destination)
        }
    }

    /// Looks for the record of a request among the last ones, and hands its line, without the line feed, to `completion`
    /// on the writer's queue; nil when it is not among them. Loops have batches that were not handed in yet.
    package func record(of requestID: String, _ completion: @escaping @Sendable ([UInt8]?) -> Void) {
        queue.async {
            let writing = self.writing.value
            completion(writing.recent.line(of: requestID))
        }
    }

    /// Opens the file anew, as log rotation asks with SIGHUP.
    package func reopen() {
        queue.async { self.writing.value.sink.reopen() }
    }

    /// Writes what waits and returns whether all of it was written in time. For the end of the process.
    @discardableResult
    package func finish(within limit: Nanoseconds = .seconds(2)) -> Bool {
        let done = DispatchSemaphore(value: 0)
        queue.async {
            self.writeAll()
            done.signal()
        }
        guard done.wait(timeout: .now() + .nanoseconds(Int(limit))) == .success else { return false }
        return pendingBytes == 0
    }

    private func drain() {
        if writeAll() { return }
        queue.asyncAfter(deadline: .now() + .seconds(1)) { self.drain() }
    }

    /// Writes batch after batch until none waits (true) or one cannot be written (false).
    @discardableResult
    private func writeAll() -> Bool {
        let writing = writing.value
        while takeBatch(writing) {
            do throws(SystemError) {
                try writing.sink.write(writing.batch, from: &writing.offset)
            } catch {
                complain(error, writing)
                return false
            }
            if writing.isFailing {
                writing.isFailing = false
                writing.complainedAt = nil
                log.info("the access log is written again")
            }
            retireBatch(writing)
        }
        return true
    }

    /// Makes sure there is a batch to write; false when none waits.
    private func takeBatch(_ writing: Writing) -> Bool {
        if !writing.batch.isEmpty { return true }
        return backlog.withLock { backlog in
            if backlog.batches.isEmpty {
                backlog.isScheduled = false
                return false
            }
            writing.batch = backlog.batches.removeFirst()
            return true
        }
    }

    /// Gives the written batch's storage back to the loops.
    private func retireBatch(_ writing: Writing) {
        let count = writing.batch.count
        writing.recent.add(writing.batch)
        writing.offset = 0
        writing.batch.removeAll(keepingCapacity: true)
        backlog.withLock { backlog in
            backlog.bytes -= count
            if backlog.spare.count < Self.spareLimit { backlog.spare.append(writing.batch) }
        }
        writing.batch = []
    }

    private func complain(_ error: SystemError, _ writing: Writing) {
        writing.isFailing = true
        let now = Instant(nanoseconds: linux_monotonic_ns())
        if let last = writing.complainedAt, now.since(last) < Self.complaintInterval { return }
        writing.complainedAt = now
        let pending = pendingBytes
        log.error("the access log cannot be written: \(error); \(pending) of at most \(backlogByteLimit) bytes wait")
    }
}
