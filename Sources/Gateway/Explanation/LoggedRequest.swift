package import Core
import Crypto
package import Policy

/// What an access record says of a request: enough to find the rule it was answered by, and to ask another policy.
package struct LoggedRequest: Sendable {
    package var requestID: String
    package var time: WallTime
    package var client: IPAddress
    package var peer: IPAddress
    /// Nil for bytes that were no request.
    package var method: String?
    /// The client spoke https.
    package var isSecure: Bool
    package var host: String?
    package var path: String?
    package var status: Int
    package var reason: String?
    package var route: String?
    package var upstream: String?
    package var auth: String
    /// Where the credential was shown.
    package var source: String?
    package var credential: String?
    /// The first 32 bits of the digest of what was shown.
    package var fingerprint: UInt32?
    package var subject: String?
    package var contentBytes: UInt64
    /// When it came, to the millisecond.
    package var arrival: WallTime
    /// The line as it was written.
    package var line: [UInt8]

    /// Reads one line of an access log.
    package init(_ line: [UInt8]) throws(ExplainFault) {
        let node: JSONNode
        do throws(JSONError) { node = try JSONNode.parse(line.span) } catch {
            throw ExplainFault("no JSON object: \(error.message)")
        }
        guard case .object = node.value else { throw ExplainFault("no JSON object") }
        self.line = line
        requestID = try Self.text(node, "request_id") ?? ""
        guard let time = WallTime(rfc3339: try Self.text(node, "time") ?? "") else { throw Self.otherVersion("time") }
        self.time = time
        guard let client = IPAddress(try Self.text(node, "client") ?? "") else { throw Self.otherVersion("client") }
        self.client = client
        guard let peer = IPAddress(try Self.text(node, "peer") ?? "") else { throw Self.otherVersion("peer") }
        self.peer = peer
        guard case .number(let number) = node["status"]?.value, let status = number.integer else {
            throw Self.otherVersion("status")
        }
        self.status = Int(status)
        method = try Self.text(node, "method")
        isSecure = try Self.text(node, "scheme") == "https"
        host = try Self.text(node, "host")
        path = try Self.text(node, "path")
        reason = try Self.text(node, "reason")
        route = try Self.text(node, "route")
        upstream = try Self.text(node, "upstream")
        auth = try Self.text(node, "auth") ?? "none"
        source = try Self.text(node, "source")
        credential = try Self.text(node, "credential")
        fingerprint = try Self.text(node, "fingerprint").flatMap { UInt32($0, radix: 16) }
        subject = try Self.text(node, "subject")
        contentBytes = UInt64(try Self.count(node, "bytes_in"))
        let (milliseconds, overflow) = (try Self.count(node, "duration_us") / 1000).multipliedReportingOverflow(by: .milliseconds(1))
        arrival = overflow ? time : time.advanced(by: 0 &- milliseconds)
    }

    private static func count(_ node: JSONNode, _ name: String) throws(ExplainFault) -> Int64 {
        guard case .number(let number) = node[name]?.value, let count = number.integer, count >= 0 else { throw otherVersion(name) }
        return Int64(count)
    }

    /// What a replay goes by; nil for bytes that were no request.
    var facts: LoggedFacts? {
        guard let method, let path else { return nil }
        var facts = LoggedFacts(method: method, host: host ?? "localhost", path: path, client: client, peer: peer)
        facts.isSecure = isSecure
        facts.authentication = auth
        facts.source = source
        facts.credential = credential
        facts.fingerprint = fingerprint
        facts.subject = subject
        // What passed through a tunnel is no content.
        facts.contentBytes = status == 101 ? 0 : contentBytes
        facts.route = route
        facts.isLetThrough = route != nil && (reason.map { ExchangeFault(rawValue: $0) != nil } ?? true)
        facts.reason = facts.isLetThrough ? nil : reason
        return facts
    }

    /// A member that is always there, a string or null.
    private static func text(_ node: JSONNode, _ name: String) throws(ExplainFault) -> String? {
        switch node[name]?.value {
        case .string(let text): return text
        case .null: return nil
        case nil, .bool, .number, .array, .object: throw otherVersion(name)
        }
    }

    private static func otherVersion(_ name: String) -> ExplainFault {
        ExplainFault("no access record of this version: its \"\(name)\" is not there, or is something else")
    }

    // MARK: Of a running gateway

    /// Asks the admin listener of a running gateway for the record of a request.
    /// - Parameters:
    ///   - token: what the listener wants to be shown from another machine.
    ///   - isSecure: the listener speaks TLS. Its certificate is for names, and the policy file says the address: it is not
    ///     verified.
    package static func fetch(
        _ requestID: String, from admin: SocketEndpoint, showing token: [UInt8]? = nil, isSecure: Bool = false
    ) throws(ExplainFault) -> LoggedRequest {
        guard RequestID.isAcceptable(requestID.utf8.span) else {
            throw ExplainFault("\"\(OneLine.quoted(requestID))\" is no request id")
        }
        let fetched: FetchedDocument
        do throws(FetchFault) {
            var request = FetchRequest(url: "\(isSecure ? "https" : "http")://\(admin)/requests/\(requestID)")
            if let token { request.fields.append(("Authorization", Array("Bearer ".utf8) + token)) }
            let security = isSecure ? try unverified() : nil
            fetched = try DocumentFetch.run(
                request, security: security, timeout: .seconds(5), byteLimit: FixedBounds.keySetBytes)
        } catch {
            if case .status(404) = error {
                throw ExplainFault(
                    "the gateway at \(admin) has no record of \(OneLine.quoted(requestID)): unknown, too long ago, or "
                        + "\"access_log\" is off")
            }
            if case .status(401) = error {
                throw ExplainFault("the gateway at \(admin) wants another admin.token than the policy file has")
            }
            throw ExplainFault("the gateway at \(admin) cannot be asked: \(error.message)")
        }
        return try LoggedRequest(fetched.bytes)
    }

    private static func unverified() throws(FetchFault) -> TLSClientContext {
        do throws(TLSContextError) { return try TLSClientContext(TLSClientSettings(.off)) } catch {
            throw .insecure(error.description)
        }
    }

    /// The rule it was answered by.
    package func rule(in policy: ExplainablePolicy) -> RuleReference? {
        guard let reason else { return nil }
        return policy.rule(for: reason, route: route, credential: credential, fingerprint: fingerprint)
    }
}
