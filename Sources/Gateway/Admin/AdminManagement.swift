import Core
import Crypto
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
        let (peer, now) = (exchange.facts.peer, worker.loop.now.instant)
        guard worker.shared.failureBudget.retryAfter(peer, now: now) == nil else {
            refuse(exchange, 429, ["Too many wrong tokens came from this address"])
            return
        }
        guard shows(token, exchange.head) else {
            worker.shared.failureBudget.recordFailure(peer, now: now)
            refuse(exchange, 401, ["The admin token is missing or wrong"])
            return
        }
        exchange.collectForAdmin(atMost: FixedBounds.actionContentBytes)
    }

    /// Authorization is there once and says Bearer and the token. Digests are compared in a time that tells nothing.
    private func shows(_ token: Digest256, _ head: RequestHead) -> Bool {
        let bytes = head.bytes
        var isShown = false
        var count = 0
        for field in head.fields where field.known == .authorization {
            count += 1
            let value = bytes.span.extracting(field.value.range)
            let scheme = "Bearer ".utf8.count
            guard value.count > scheme, value.extracting(0..<scheme).equalsIgnoringCase("bearer ") else { continue }
            isShown = OpenSSLCryptography().sha256(value.extracting(scheme..<value.count)) == token
        }
        return count == 1 && isShown
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

    private func refuse(_ exchange: Exchange, _ status: Int, _ messages: [String]) {
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
