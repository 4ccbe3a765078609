/// How audit events leave the process: what the shell does for the trail. From any thread.
package protocol AuditTransport: AnyObject, Sendable {
    /// Appends a whole line to the audit log; does not block on it.
    func write(_ line: [UInt8])
    /// POSTs JSON to the webhook and waits for the answer, at most for the webhook's timeout. Nil when the receiver took it (2xx), and
    /// otherwise what was wrong, one sentence without secrets.
    func deliver(_ content: [UInt8], fields: [(name: String, value: String)]) -> String?
    /// A line for the operator.
    func complain(_ message: String)
}
