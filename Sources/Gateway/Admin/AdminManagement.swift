import Core
import IO
import Policy
import TokenService

/// `/v1/…` on the admin listener: the management of what the store keeps, for who shows `admin.token`.
struct AdminManagement {
    static let prefix = Array("/v1/".utf8)
    let worker: Worker

    /// The head is there: lets in who may, and collects the content.
    func begin(_ exchange: Exchange) {
        guard let token = worker.shared.adminToken else {
            refuse(exchange, 404, ["The management API is closed: the policy has no admin.token"])
            return
        }
        if let refusal = AdminAccess(worker: worker).refusal(of: exchange, token) {
            refuse(exchange, refusal.status, [refusal.message])
            return
        }
        exchange.collectForAdmin(atMost: FixedBounds.actionContentBytes)
    }

    /// The content is whole.
    func carryOut(_ exchange: Exchange, content: [UInt8]) {
        let head = exchange.head
        let bytes = head.bytes.span
        let caller = ManagementCaller(
            method: "admin", address: exchange.facts.peer,
            requestID: exchange.requestID.withSpan { String(decoding: $0.copied(), as: UTF8.self) }, grantsAnything: true)
        let path = bytes.extracting(head.path.range)
        let call: ManagementCall
        do throws(ActionRefusal) {
            call = try ManagementCall.admin(
                head.method, path: String(decoding: path.extracting(Self.prefix.count..<path.count).copied(), as: UTF8.self),
                query: bytes.extracting(head.query.range).copied(), contentType: Snapshot.contentType(of: head), content: content,
                caller: caller, policy: worker.snapshot.configuration, now: worker.loop.now.wall)
        } catch {
            answer(exchange, error.outcome)
            return
        }
        guard let management = worker.shared.tokens.management else {
            refuse(exchange, 404, ["The policy has no store"])
            return
        }
        let ticket = exchange.beginWaiting()
        let pending = LoopBound((exchange: exchange, ticket: ticket), on: worker.loop.queue)
        let worker = self.worker
        management.perform(call) { outcome in
            worker.loop.submit {
                worker.loop.round {
                    let (exchange, ticket) = pending.value
                    guard exchange.isWaiting(ticket) else { return }
                    exchange.endWaiting()
                    AdminManagement(worker: worker).answer(exchange, outcome)
                }
            }
        }
    }

    private func answer(_ exchange: Exchange, _ outcome: ActionOutcome) {
        switch outcome {
        case .answer(let answer): send(exchange, answer.status, answer.body)
        case .refuse(let denial, let messages, _):
            refuse(exchange, denial.status, messages.isEmpty ? [denial.detail.description] : messages)
        }
    }

    func refuse(_ exchange: Exchange, _ status: Int, _ messages: [String]) {
        var body: [UInt8] = []
        body.append("{\"errors\":[")
        for (index, message) in messages.enumerated() {
            if index > 0 { body.append(",") }
            body.append(jsonString: message)
        }
        body.append("]}\n")
        send(exchange, status, body)
    }

    private func send(_ exchange: Exchange, _ status: Int, _ body: [UInt8]) {
        worker.answer.removeAll()
        worker.answer.status = status
        worker.answer.body = body
        worker.answer.lines.append(name: "Content-Type", value: "application/json")
        worker.answer.lines.append(name: "Cache-Control", value: "no-store")
        if status == 401 { worker.answer.lines.append(name: "WWW-Authenticate", value: "Bearer") }
        exchange.requestID.withSpan { worker.answer.lines.append(name: "X-Request-ID", value: $0) }
        exchange.sendLocalAnswer()
    }
}
