import Core
import Dispatch
import IO
import Policy

/// Why: `POST /explain` with a request, `GET /requests/ID` for one that was answered.
extension AdminEndpoint {
    /// `POST /explain`: the content is a curl command line, or a JSON object as `ExplainDocument` reads it. Answered with
    /// JSON, or with what the command line prints where the client accepts `text/plain`.
    func explain(_ exchange: Exchange) {
        exchange.collectForAdmin(atMost: FixedBounds.explainBytes)
    }

    /// The content of a request to be explained is whole.
    func explain(_ exchange: Exchange, content: [UInt8]) {
        let shared = worker.shared
        let standing = Explainer.Standing(buckets: shared.buckets, failures: shared.failureBudget)
        let now = worker.loop.now
        let isText = Self.acceptsText(exchange.head)
        answerLater(exchange, type: isText ? "text/plain; charset=utf-8" : "application/json") { done in
            DispatchQueue.global(qos: .utility).async {
                do throws(ExplainFault) {
                    let request = try ExplainDocument.request(content)
                    let explanation = try shared.explainable.explain(
                        request, standing: standing, directory: shared.directory, now: now)
                    var body: [UInt8] = []
                    if isText { body += explanation.text(isColoured: false).utf8 } else { explanation.append(json: &body) }
                    body.append(0x0A)
                    done(200, body)
                } catch {
                    done(400, isText ? Array("\(error.message)\n".utf8) : Self.error(error.message))
                }
            }
        }
    }

    /// `GET /requests/ID`: the access record of a request that was answered lately.
    func sendRecord(_ exchange: Exchange, of requestID: String) {
        let shared = worker.shared
        let isLogging = shared.explainable.isLogging
        let group = DispatchGroup()
        for worker in shared.workers {
            group.enter()
            worker.loop.submit {
                worker.accessLog.flush()
                group.leave()
            }
        }
        answerLater(exchange) { done in
            group.notify(queue: .global(qos: .utility)) {
                shared.logWriter.record(of: requestID) { line in
                    if let line { return done(200, line + [0x0A]) }
                    let cause =
                        isLogging
                        ? "it is unknown, not answered yet, or older than the last records that are kept"
                        : "the access log is off, so no records are kept"
                    done(404, Self.error("no record of the request \(OneLine.quoted(requestID)): \(cause)"))
                }
            }
        }
    }

    private static func error(_ message: String) -> [UInt8] {
        var body = Array("{\"error\":".utf8)
        body.append(jsonString: message)
        body.append("}\n")
        return body
    }

    /// The client names `text/plain` before anything else it accepts.
    private static func acceptsText(_ head: RequestHead) -> Bool {
        let bytes = head.bytes
        let field = head.fields.first { field in
            field.known == .other && bytes.span.extracting(field.name.range).equalsIgnoringCase("accept")
        }
        guard let field else { return false }
        let value = bytes.span.extracting(field.value.range)
        let count = "text/plain".utf8.count
        return value.count >= count && value.extracting(0..<count).equalsIgnoringCase("text/plain")
    }

    /// Answers when `work` calls back, which it does from any thread, once.
    private func answerLater(
        _ exchange: Exchange, type: StaticString = "application/json",
        _ work: (@escaping @Sendable (_ status: Int, _ body: [UInt8]) -> Void) -> Void
    ) {
        let ticket = exchange.beginWaiting()
        let pending = LoopBound((exchange: exchange, ticket: ticket), on: worker.loop.queue)
        let worker = self.worker
        work { status, body in
            worker.loop.submit {
                worker.loop.round {
                    let (exchange, ticket) = pending.value
                    guard exchange.isWaiting(ticket) else { return }
                    AdminEndpoint(worker: worker).send(exchange, status: status, type: type, body: body)
                }
            }
        }
    }
}
