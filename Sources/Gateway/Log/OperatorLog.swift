import CLinux
package import Core
package import IO
package import Logging
package import Policy
import Synchronization

/// The gateway's own messages: start, reloads, key sets, faults of the access log. Never anything about a single
/// request, and never a secret. Single lines on standard error, by way of swift-log.
package final class OperatorLog: Sendable {
    /// At most one line about refused accepts in this span: running out of descriptors repeats a thousand times a
    /// second.
    private static let acceptComplaintInterval: Nanoseconds = .seconds(10)

    private let logger: Logger
    private let writer: MessageWriter?
    private let acceptComplainedAt = Atomic<Int64>(.min)
    private let rejectionNotices = Mutex(RejectionNotices())

    /// Writes lines of `level` and above to standard error.
    /// - Parameter writer: writes them off the caller's thread, for processes that serve; nil writes them at once.
    package convenience init(level: Logger.Level = .info, writer: MessageWriter? = nil) {
        self.init(Logger(label: "portcullis") { _ in StandardErrorLines(logLevel: level, writer: writer) }, writer: writer)
    }

    /// For commands, whose own output says what they did.
    package static func warningsOnly() -> OperatorLog { OperatorLog(level: .warning) }

    /// Writes to another swift-log logger; tests listen there.
    package init(_ logger: Logger, writer: MessageWriter? = nil) {
        self.logger = logger
        self.writer = writer
    }

    /// Lines that standard error did not take.
    package var dropped: UInt64 { writer?.dropped ?? 0 }

    /// Waits until the lines so far are written, `limit` at most. For the end of the process.
    package func finish(within limit: Nanoseconds = .seconds(1)) { writer?.finish(within: limit) }

    package func debug(_ message: String) { logger.debug("\(message)") }
    package func info(_ message: String) { logger.info("\(message)") }
    package func warning(_ message: String) { logger.warning("\(message)") }
    package func error(_ message: String) { logger.error("\(message)") }

    /// What a policy file is told to have wrong.
    package func tell(_ diagnostic: Diagnostic) {
        switch diagnostic.severity {
        case .error: error(diagnostic.logLine)
        case .warning: warning(diagnostic.logLine)
        }
    }

    /// A connection ended before its first request. From any thread; mostly silent.
    func rejected(_ rejection: ConnectionRejection, from peer: IPAddress, at listener: String, now: Instant) {
        guard rejection.isTold else { return }
        switch rejectionNotices.withLock({ $0.verdict(on: peer, at: listener, now: now) }) {
        case .tell(let untold):
            let more = untold == 0 ? "" : "; \(untold) more of this peer since the last message"
            warning("listener \(listener): connection from \(peer) rejected: \(rejection) (\(rejection.reason))\(more)")
        case .tellOthers(let untold):
            let more = untold == 0 ? "" : " and \(untold) more since the last message"
            warning(
                "listener \(listener): connections from many peers rejected, the last from \(peer): \(rejection) "
                    + "(\(rejection.reason))\(more)")
        case .keepSilent: break
        }
    }

    /// A listener could not accept, most likely for want of descriptors. From any thread; mostly silent.
    package func acceptFailed(_ error: SystemError) {
        let now = linux_monotonic_ns()
        let last = acceptComplainedAt.load(ordering: .relaxed)
        if last != .min, now &- last < Self.acceptComplaintInterval { return }
        guard acceptComplainedAt.compareExchange(expected: last, desired: now, ordering: .relaxed).exchanged else {
            return
        }
        logger.error("connections cannot be accepted: \(error)")
    }
}
