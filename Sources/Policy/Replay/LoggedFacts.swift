package import Core

/// What an access record tells of a request: all that a replay of it knows for sure.
package struct LoggedFacts: Hashable, Sendable {
    package var method: String
    package var isSecure: Bool
    package var host: String
    /// As received, without the query.
    package var path: String
    package var client: IPAddress
    package var peer: IPAddress
    /// `none`, `api_key`, `jwt` or `certificate`.
    package var authentication: String
    /// Where the credential was shown, as in `header:x-api-key`; nil where none was.
    package var source: String?
    /// Key id, or `jti`.
    package var credential: String?
    /// The first 32 bits of the digest of what was shown.
    package var fingerprint: UInt32?
    package var subject: String?
    package var contentBytes: UInt64
    package var reason: String?
    package var route: String?
    /// It reached an upstream or an action, whatever became of it there.
    package var isLetThrough: Bool

    package init(method: String, host: String, path: String, client: IPAddress, peer: IPAddress) {
        self.method = method
        self.host = host
        self.path = path
        self.client = client
        self.peer = peer
        isSecure = false
        authentication = "none"
        contentBytes = 0
        isLetThrough = false
    }

    /// What was shown was a token, good or bad.
    var isToken: Bool { authentication == "jwt" || reason?.hasPrefix("token_") == true && fingerprint != nil }

    /// What the log says is what a policy says, as far as a policy can: that an upstream failed is no policy's word, and
    /// how full buckets were is asked apart.
    func isMet(by reply: PolicyRehearsal.Reply) -> Bool {
        guard reply.route == route else { return false }
        if isLetThrough { return reply.isAllowed }
        if reply.reason == reason { return true }
        let denial = Denial.all.first { $0.reason == reason }
        return reply.isAllowed && denial.map { $0 == .rateLimited || $0.step >= .forwarding } ?? false
    }
}

extension CredentialSource {
    /// A source as the access log names it; nil for a client certificate and for what is none.
    /// - Parameter prefix: what bearer values begin with.
    init?(recorded name: String, prefix: String) {
        if name == "bearer" {
            self = .bearer(prefix: prefix)
            return
        }
        guard let colon = name.firstIndex(of: ":") else { return nil }
        let rest = String(name[name.index(after: colon)...])
        switch name[..<colon] {
        case "header": self = .header(rest)
        case "query": self = .query(rest)
        case "cookie": self = .cookie(rest)
        default: return nil
        }
    }
}
