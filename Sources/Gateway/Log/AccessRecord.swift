package import Core
package import Policy

/// Which kind of credential a request was let through with, as the access log spells it.
package enum RecordedAuthentication: Sendable {
    case none
    case apiKey
    case token
    case certificate
}

/// What the access log says of one request, beside what stands in its head. One value is reused for request after
/// request. Nothing in it is secret: credentials appear as their id and the first bytes of their digest.
package struct AccessRecord {
    /// When the request ended.
    package var time = WallTime(nanoseconds: 0)
    package var requestID: [UInt8] = []
    /// The other end of the connection.
    package var peer = IPAddress(v4: 0)
    /// Who the request is accounted to: the peer, or what trusted proxies say.
    package var client = IPAddress(v4: 0)
    /// Status of the answer; 0 when the request ended without one.
    package var status = 0
    /// Why the gateway answered itself or cut the answer short: a stable identifier. Nil when all went well.
    package var reason: String?
    /// What rules in shadow mode would have refused the request for.
    package var shadowRefusals: [ShadowRefusal] = []
    /// Names of the route and the upstream, and `host:port` of the server. Nil as far as the request did not get.
    package var route: String?
    package var upstream: String?
    package var server: String?
    /// Name of the route that another reading of the path leads to, of requests refused with `path_ambiguous`.
    package var otherRoute: String?
    /// The claim or header parameter for which a token is malformed, of requests refused with `token_malformed`.
    package var tokenMember: String?
    package var authentication = RecordedAuthentication.none
    /// The client spoke https, with this gateway or with a trusted proxy that says so.
    package var isSecure = false
    /// Where the credential was shown, as in `header:x-api-key`; empty where none was.
    package var source: [UInt8] = []
    /// Key id, or `jti` of a token; empty when there is none.
    package var credential: [UInt8] = []
    /// First eight hexadecimal digits of the credential's digest; empty when none was shown.
    package var fingerprint: [UInt8] = []
    package var subject: [UInt8] = []
    /// Bytes of content, framing not counted.
    package var bytesIn: UInt64 = 0
    package var bytesOut: UInt64 = 0
    /// From the first byte of the request to the last of the answer.
    package var duration: Nanoseconds = 0
    /// From the moment an upstream was chosen to the head of its answer.
    package var upstreamDuration: Nanoseconds?
    /// How often the request was sent again.
    package var retries = 0

    package init() {}

    /// Empties the record but keeps its storage.
    package mutating func removeAll() {
        time = WallTime(nanoseconds: 0)
        requestID.removeAll(keepingCapacity: true)
        peer = IPAddress(v4: 0)
        client = peer
        status = 0
        reason = nil
        if !shadowRefusals.isEmpty { shadowRefusals = [] }
        route = nil
        otherRoute = nil
        tokenMember = nil
        upstream = nil
        server = nil
        authentication = .none
        isSecure = false
        if !source.isEmpty { source = [] }
        credential.removeAll(keepingCapacity: true)
        fingerprint.removeAll(keepingCapacity: true)
        subject.removeAll(keepingCapacity: true)
        bytesIn = 0
        bytesOut = 0
        duration = 0
        upstreamDuration = nil
        retries = 0
    }
}
