package import Core
package import Dispatch
import IO

/// The access log of one event loop: records become lines in a buffer of the loop, which goes to the shared `LogWriter`
/// when it is large enough or when the loop's timer asks. Appending does no I/O and takes no lock.
package final class AccessLog {
    /// Bytes at which the buffer is handed over without waiting for the timer.
    package static let batchBytes = 32_768
    /// How long a line may wait in the buffer.
    package static let flushInterval: Nanoseconds = .milliseconds(500)

    private let writer: LogWriter
    private var buffer: [UInt8] = []
    private var recordCount = 0
    private var isFlushScheduled = false
    /// False makes `append` do nothing, as `"access_log": "off"` asks. A reload may change it.
    package var isOn: Bool
    /// Records made, and records thrown away because the writer's backlog was full.
    package private(set) var appended: UInt64 = 0
    package private(set) var dropped: UInt64 = 0

    /// The queue of the loop, where waiting lines are handed over in time; nil leaves that to the caller.
    private let queue: DispatchQueue?

    package init(writer: LogWriter, isOn: Bool, queue: DispatchQueue? = nil) {
        self.writer = writer
        self.queue = queue
        self.isOn = isOn
    }

    /// True while lines wait for `flush()`.
    package var isWaiting: Bool { recordCount > 0 }

    /// Adds a finished request. `head` may be empty when the request could not be read.
    package func append(_ record: borrowing AccessRecord, head: borrowing RequestHead) {
        guard isOn else { return }
        AccessRecordText.append(record, head: head, to: &buffer)
        appended &+= 1
        recordCount &+= 1
        if buffer.count >= Self.batchBytes {
            flush()
        } else if !isFlushScheduled {
            scheduleFlush()
        }
    }

    /// One timer at a time, armed by the first line that waits; an idle loop has none.
    private func scheduleFlush() {
        guard let queue else { return }
        isFlushScheduled = true
        let log = LoopBound(self, on: queue)
        queue.asyncAfter(deadline: .now() + .nanoseconds(Int(Self.flushInterval))) {
            log.value.isFlushScheduled = false
            log.value.flush()
        }
    }

    /// Hands what waits to the writer.
    package func flush() {
        guard recordCount > 0 else { return }
        let count = recordCount
        recordCount = 0
        // The writer gives back an emptied buffer of an earlier batch, so that a steady stream allocates nothing.
        if writer.enqueue(&buffer) == false {
            dropped &+= UInt64(count)
            buffer.removeAll(keepingCapacity: true)
        }
    }
}
