import Core
import IO
import Policy
import Synchronization

/// What the admin listener answers: `/healthz`, `/readyz`, `/metrics`, `/status`, `/requests/ID`, and
/// `POST /key_sets/NAME/refresh` and `POST /explain`.
struct AdminEndpoint {
    let worker: Worker

    /// Answers an admin request now or, where other loops must be asked, later.
    func answer(_ exchange: Exchange) {
        let head = exchange.head
        let path = head.bytes.span.extracting(head.path.range)
        let management = AdminManagement.prefix
        // What asks whether the gateway lives is told nothing else, whatever it calls it.
        let isProbe = path.equals("/healthz") || path.equals("/readyz")
        if !isProbe, let refusal = AdminAccess(worker: worker).refusalOfHost(exchange) {
            if path.hasPrefix(management.span) {
                AdminManagement(worker: worker).refuse(exchange, refusal.status, [refusal.message])
            } else {
                sendText(exchange, status: refusal.status, refusal.message)
            }
            return
        }
        if head.method != .get, head.method != .head, isOfAnotherOrigin(head) {
            sendText(exchange, status: 403, "a page of another origin may not ask this")
            return
        }
        if path.hasPrefix(management.span) {
            AdminManagement(worker: worker).begin(exchange)
            return
        }
        // Probes have no token; the page shows nothing of its own.
        if !isProbe, !path.equals("/"), let refusal = AdminAccess(worker: worker).refusal(of: exchange) {
            send(
                exchange, status: refusal.status, type: "text/plain; charset=utf-8", body: Array("\(refusal.message)\n".utf8),
                adding: refusal.status == 401 ? [("WWW-Authenticate", "Bearer")] : [])
            return
        }
        if path.hasPrefix(Self.keySets.span) || path.equals("/explain") {
            guard head.method == .post else { return refuseMethod(exchange, allowing: "POST") }
            if path.equals("/explain") { return explain(exchange) }
            return refreshKeySet(exchange, path.extracting(Self.keySets.count..<path.count))
        }
        guard head.method == .get || head.method == .head else { return refuseMethod(exchange, allowing: "GET, HEAD") }
        if isProbe {
            sendHealth(exchange)
        } else if path.equals("/") {
            sendPage(exchange)
        } else if path.equals("/metrics") {
            sendMetrics(exchange)
        } else if path.equals("/status") {
            sendLater(exchange, type: "application/json", observing: { $0.observed() }) { $0.statusJSON() }
        } else if path.hasPrefix(Self.requests.span) {
            sendRecord(exchange, of: String(decoding: path.extracting(Self.requests.count..<path.count).copied(), as: UTF8.self))
        } else {
            sendText(exchange, status: 404, "try /, /healthz, /readyz, /metrics, /status or /requests/ID")
        }
    }

    /// Answers a request to the listener for probes, which is open to everyone that can reach it.
    func answerProbe(_ exchange: Exchange) {
        let head = exchange.head
        let path = head.bytes.span.extracting(head.path.range)
        guard head.method == .get || head.method == .head else { return refuseMethod(exchange, allowing: "GET, HEAD") }
        if path.equals("/healthz") || path.equals("/readyz") {
            sendHealth(exchange)
        } else if path.equals("/metrics"), worker.snapshot.configuration.admin?.probes?.showsMetrics ?? false {
            sendMetrics(exchange)
        } else {
            sendText(exchange, status: 404, "not found")
        }
    }

    /// `/healthz` or `/readyz`.
    private func sendHealth(_ exchange: Exchange) {
        let head = exchange.head
        guard head.bytes.span.extracting(head.path.range).equals("/readyz") else {
            sendText(exchange, status: 200, "ok")
            return
        }
        guard worker.shared.isReady.load(ordering: .acquiring) else { return sendText(exchange, status: 503, "not ready") }
        let waitsForKeys = worker.snapshot.configuration.admin?.readyWhen == .keys
        guard !waitsForKeys || worker.shared.hasHadKeys() else {
            return sendText(exchange, status: 503, "not ready: waiting for key sets")
        }
        sendText(exchange, status: 200, "ready")
    }

    private func sendMetrics(_ exchange: Exchange) {
        sendLater(exchange, type: "text/plain; version=0.0.4; charset=utf-8", observing: { $0.countedSoFar() }) {
            $0.prometheusText()
        }
    }

    /// 405 with the methods that the path has (RFC 9110 §15.5.6).
    private func refuseMethod(_ exchange: Exchange, allowing methods: StaticString) {
        send(
            exchange, status: 405, type: "text/plain; charset=utf-8", body: Array("only \(methods)\n".utf8),
            adding: [("Allow", methods)])
    }

    private func sendText(_ exchange: Exchange, status: Int, _ line: String) {
        send(exchange, status: status, type: "text/plain; charset=utf-8", body: Array("\(line)\n".utf8))
    }

    /// A browser says for which page it asks (RFC 6454 §7.3): one of elsewhere may send what needs no preflight, and that an
    /// operator's browser reaches this listener is no permission.
    private func isOfAnotherOrigin(_ head: RequestHead) -> Bool {
        let bytes = head.bytes
        let authority = bytes.span.extracting(head.authority.range)
        for field in head.fields where bytes.span.extracting(field.name.range).equalsIgnoringCase("origin") {
            let origin = bytes.span.extracting(field.value.range)
            // Past the "//" of "http://".
            guard let slash = origin.firstIndex(of: 0x2F), slash + 1 < origin.count, origin[slash + 1] == 0x2F else { return true }
            let host = origin.extracting(slash + 2..<origin.count)
            guard host.equalsIgnoringCase(authority) else { return true }
        }
        return false
    }

    /// The content of a request that has some is whole.
    func carryOut(_ exchange: Exchange, content: [UInt8]) {
        let head = exchange.head
        let management = AdminManagement.prefix
        if head.bytes.span.extracting(head.path.range).hasPrefix(management.span) {
            AdminManagement(worker: worker).carryOut(exchange, content: content)
        } else {
            explain(exchange, content: content)
        }
    }

    /// The live page, which asks for `/status` again and again. It loads nothing from elsewhere and may not be framed.
    private func sendPage(_ exchange: Exchange) {
        let policy: StaticString = """
            default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src 'self'; \
            base-uri 'none'; form-action 'none'; frame-ancestors 'none'
            """
        send(
            exchange, status: 200, type: "text/html; charset=utf-8", body: PackageResources.live_html,
            // With "no-referrer" some browsers would name no origin to ourselves either.
            adding: [("Content-Security-Policy", policy), ("X-Content-Type-Options", "nosniff"), ("Referrer-Policy", "same-origin")])
    }

    private static let requests = Array("/requests/".utf8)
    private static let keySets = Array("/key_sets/".utf8)

    /// `POST /key_sets/NAME/refresh`: fetches a key set now.
    private func refreshKeySet(_ exchange: Exchange, _ rest: Span<UInt8>) {
        let suffix = Array("/refresh".utf8)
        var isKnown = false
        if rest.count > suffix.count, rest.extracting(rest.count - suffix.count..<rest.count).equals(suffix.span) {
            let name = String(decoding: rest.extracting(0..<rest.count - suffix.count).copied(), as: UTF8.self)
            isKnown = worker.shared.keySets.refresh(named: name)
        }
        send(
            exchange, status: isKnown ? 202 : 404, type: "text/plain; charset=utf-8",
            body: Array((isKnown ? "the key set is being fetched\n" : "no key set of this name is fetched\n").utf8))
    }

    func send(
        _ exchange: Exchange, status: Int, type: StaticString, body: [UInt8],
        adding fields: [(name: StaticString, value: StaticString)] = []
    ) {
        worker.answer.removeAll()
        worker.answer.status = status
        worker.answer.body = body
        worker.answer.lines.append(name: "Content-Type", value: type)
        worker.answer.lines.append(name: "Cache-Control", value: "no-store")
        for field in fields { worker.answer.lines.append(name: field.name, value: field.value) }
        exchange.requestID.withSpan { worker.answer.lines.append(name: "X-Request-ID", value: $0) }
        exchange.sendLocalAnswer()
    }

    /// Asks every loop for its counters, renders off the loops, and answers when all have told.
    private func sendLater(
        _ exchange: Exchange, type: StaticString, observing observe: @escaping @Sendable (Worker) -> MetricsSnapshot,
        render: @escaping @Sendable (Report) -> [UInt8]
    ) {
        let ticket = exchange.beginWaiting()
        let pending = LoopBound((exchange: exchange, ticket: ticket), on: worker.loop.queue)
        let worker = self.worker
        Report.collect(from: worker.shared, observing: observe) { report in
            let body = render(report)
            worker.loop.submit {
                worker.loop.round {
                    let (exchange, ticket) = pending.value
                    guard exchange.isWaiting(ticket) else { return }
                    AdminEndpoint(worker: worker).send(exchange, status: 200, type: type, body: body)
                }
            }
        }
    }
}
