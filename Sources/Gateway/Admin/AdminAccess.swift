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
        let adminGuard = worker.shared.adminGuard
        let shown = shownToken(exchange.head)
        guard adminGuard.mayTry(peer, now: now) || shown == token && adminGuard.hasAccepted(token) else {
            return Refusal(status: 429, message: "Too many wrong tokens came from this address")
        }
        if shown == token {
            adminGuard.recordAccepted(token)
            return nil
        }
        // A request without a token is not a guess.
        if let shown { adminGuard.recordGuess(shown, from: peer, now: now) }
        return Refusal(status: 401, message: "The admin token is missing or wrong")
    }

    /// Nil when the request is addressed to this listener as its operator does it: by an address, by "localhost" or by a listed name.
    /// A page of elsewhere, whose name was made to lead to this machine, has its own name in Host (DNS rebinding). Requests from
    /// other machines show the token, which no page has.
    func refusalOfHost(_ exchange: Exchange) -> Refusal? {
        let head = exchange.head
        guard exchange.facts.peer.isLoopback else { return nil }
        let authority = String(decoding: head.bytes.span.extracting(head.authority.range).copied(), as: UTF8.self)
        let hosts = worker.snapshot.configuration.admin?.hosts ?? []
        if AdminHost.isOwn(authority, listed: hosts) { return nil }
        let shown = authority.isEmpty ? "a request without Host" : "Host \"\(OneLine.quoted(authority))\""
        return Refusal(
            status: 421,
            message: "\(shown) is not taken from this machine: name the admin listener by its address or localhost, "
                + "or list the name in admin.hosts")
    }

    /// The digest of the Bearer token; nil where there is none, or more than one Authorization. Digests are compared, in a time that
    /// depends on no secret.
    private func shownToken(_ head: RequestHead) -> Digest256? {
        let bytes = head.bytes
        var shown: Digest256?
        var count = 0
        for field in head.fields where field.known == .authorization {
            count += 1
            let value = bytes.span.extracting(field.value.range)
            let scheme = "Bearer ".utf8.count
            guard value.count > scheme, value.extracting(0..<scheme).equalsIgnoringCase("bearer ") else { continue }
            shown = OpenSSLCryptography().sha256(value.extracting(scheme..<value.count))
        }
        return count == 1 ? shown : nil
    }
}
