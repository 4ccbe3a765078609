package import Store

/// What comes of a call: changes to commit, and what is answered and reported once they are; or the work to be done first.
package struct ManagementDecision: Sendable {
    package var status: Int
    /// JSON.
    package var body: [UInt8]
    package var changes: [StoreChange]
    /// To be told after the commit, once.
    package var events: [AuditEvent]
    /// The body holds a secret that is shown this once.
    package var showsSecret: Bool
    /// What has to be made before the call can be decided anew; nothing is changed or answered until then.
    var work: CostlyWork?

    package init(
        status: Int = 200, body: [UInt8], changes: [StoreChange] = [], events: [AuditEvent] = [], showsSecret: Bool = false
    ) {
        self.status = status
        self.body = body
        self.changes = changes
        self.events = events
        self.showsSecret = showsSecret
    }

    /// The same with another status; 204 has no content.
    func answered(with status: Int) -> ManagementDecision {
        var decision = self
        decision.status = status
        if status == 204 { decision.body = [] }
        return decision
    }

    /// The call is allowed, and waits for work.
    init(waitingFor work: CostlyWork) {
        self.init(body: [])
        self.work = work
    }
}
