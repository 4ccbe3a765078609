import Core
import Crypto
import IO
import Policy

/// Who may ask the admin listener: somebody on this machine, but for management; anybody else with `admin.token`.
struct AdminAccess {
    struct Refusal {
        var status: Int
        var message: String
    }

    let worker: Worker

    /// Nil when whoever asks may look.
    func refusal(of exchange: Exchange) -> Refusal? {
        if exchange.facts.peer.isLoopback { return nil }
        guard let token = worker.shared.adminToken else {
            return Refusal(
                status: 403, message: "Who asks from another machine shows the admin.token, and the policy has none")
        }
        return refusal(of: exchange, token)
    }

    /// Nil when the token is shown. Wrong ones count against the address they come from.
    func refusal(of exchange: Exchange, _ token: Digest256) -> Refusal? {
        let (peer, now) = (exchange.facts.peer, worker.loop.now.instant)
        guard worker.shared.failureBudget.retryAfter(peer, now: now) == nil else {
            return Refusal(status: 429, message: "Too many wrong tokens came from this address")
        }
        guard shows(token, exchange.head) else {
            worker.shared.failureBudget.recordFailure(peer, now: now)
            return Refusal(status: 401, message: "The admin token is missing or wrong")
        }
        return nil
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
}
