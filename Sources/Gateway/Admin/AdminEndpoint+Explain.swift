import Core
import Dispatch
import IO
import Policy

/// Why: `POST /explain` with a request, `GET /requests/ID` for one that was answered.
extension AdminEndpoint {
    /// `POST /explain`: the content is a curl command line, or a JSON object as `ExplainDocument` reads it.
    func explain(_ exchange: Exchange) {
        exchange.collectForAdmin(atMost: FixedBounds.explainBytes)
    }

    /// The content of a request to be explained is whole.
    func explain(_ exchange: Exchange, content: [UInt8]) {
        let shared = worker.shared
        let standing = Explainer.Standing(buckets: shared.buckets, failures: shared.failureBudget)
        let now = worker.loop.now
        answerLater(exchange) { done in
            DispatchQueue.global(qos: .utility).async {
                do throws(ExplainFault) {
                    let request = try ExplainDocument.request(content)
                    let explanation = try shared.explainable.explain(
                        request, standing: standing, directory: shared.directory, now: now)
                    var body: [UInt8] = []
                    explanation.append(json: &body)
                    body.append(0x0A)
                    done(200, body)
                } catch {
                    done(400, Self.error(error.message))
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

    /// Answers with JSON when `work` calls back, which it does from any thread, once.
    private func answerLater(
        _ exchange: Exchange, _ work: (@escaping @Sendable (_ status: Int, _ body: [UInt8]) -> Void) -> Void
    ) {
        let ticket = exchange.beginWaiting()
        let pending = LoopBound((exchange: exchange, ticket: ticket), on: worker.loop.queue)
        let worker = self.worker
        work { status, body in
            worker.loop.submit {
                worker.loop.round {
                    let (exchange, ticket) = pending.value
                    guard exchange.isWaiting(ticket) else { return }
                    AdminEndpoint(worker: worker).send(exchange, status: status, type: "application/json", body: body)
                }
            }
        }
    }
}
