import Core
import Policy
import Synchronization
package import TokenService

/// The way of audit events out of the process: the log, and POSTs to the webhook.
package final class AuditOutlet: AuditTransport {
    /// The answer of a webhook means nothing but its status.
    private static let answerBytes = 65_536

    private let log: OperatorLog
    private let writer: LogWriter
    private let audit = Mutex(CompiledAudit())

    package init(log: OperatorLog) {
        self.log = log
        writer = LogWriter(destination: .off, log: log)
    }

    /// Follows a policy, and lets the trail follow it.
    package func adopt(_ compiled: CompiledAudit, trail: AuditTrail) {
        audit.withLock { $0 = compiled }
        writer.adopt(compiled.log ?? .off)
        trail.adopt(
            transport: self, webhook: compiled.webhook?.signature, attempts: compiled.webhook?.attempts ?? 1)
    }

    /// Opens the file anew, as log rotation asks with SIGHUP.
    package func reopen() { writer.reopen() }

    /// Blocks until everything is written, as far as it can be in this time: with the times of the other logs it must fit into what
    /// service managers allow beyond `drain_timeout`.
    package func finish() { _ = writer.finish(within: .seconds(5)) }

    package func write(_ line: [UInt8]) {
        guard audit.withLock({ $0.log }) != nil else {
            log.info("audit \(String(decoding: line.dropLast(), as: UTF8.self))")
            return
        }
        var batch = line
        if !writer.enqueue(&batch) { log.error("an audit event is not written: too many wait to be") }
    }

    package func deliver(_ content: [UInt8], fields: [(name: String, value: String)]) -> String? {
        guard let webhook = audit.withLock({ $0.webhook }) else { return nil }
        var request = FetchRequest(url: webhook.url)
        request.method = "POST"
        request.accept = "*/*"
        request.fields = [(name: "Content-Type", value: Array("application/json".utf8))]
        request.fields += fields.map { (name: $0.name, value: Array($0.value.utf8)) }
        request.content = content
        request.acceptedStatuses = 200...299
        do throws(FetchFault) {
            _ = try DocumentFetch.run(
                request, security: webhook.security?.context, timeout: webhook.timeout, byteLimit: Self.answerBytes)
            return nil
        } catch {
            return error.message
        }
    }

    package func complain(_ message: String) { log.warning(message) }
}
