package import Core

/// What a route says to pages of other origins, compiled (WHATWG Fetch, "CORS protocol"). Immutable.
package final class CORSRule: Sendable {
    /// What a request's `Origin` comes to.
    enum Verdict: Equatable, Sendable {
        /// The request names no origin: a browser sends it for a page of the same origin, or no browser does.
        case noOrigin
        /// Where in the head's bytes the origin is.
        case allowed(ByteRange)
        case notAllowed
    }

    /// What the gateway says; for routes that are compiled alike, equal.
    let terms: CORSConfiguration
    /// What the upstream says passes, and preflights are its own.
    package let leavesUpstream: Bool
    /// `Access-Control-Expose-Headers`.
    private let exposed: [UInt8]
    /// `Access-Control-Allow-Headers`; empty where there are none.
    let allowedHeaders: [UInt8]

    /// - Parameters:
    ///   - read: names of request fields that the routes read, for a policy that lists none.
    ///   - rates: which fields of rate limits answers have.
    init(_ terms: CORSConfiguration, leavesUpstream: Bool, read: [String], rates: RateHeaderStyle) {
        self.terms = terms
        self.leavesUpstream = leavesUpstream
        var names = terms.headers ?? read
        // A wildcard does not stand for this one (Fetch, "CORS non-wildcard request-header name").
        if names.contains(CORSConfiguration.wildcard), !names.contains(where: { $0.lowercasedASCII == "authorization" }) {
            names.append("Authorization")
        }
        allowedHeaders = Array(names.joined(separator: ", ").utf8)
        let always = terms.exposed.contains(CORSConfiguration.wildcard) ? [] : rates.fieldNames + ["Retry-After", "X-Request-ID"]
        let own = terms.exposed.filter { name in !always.contains { $0.lowercasedASCII == name.lowercasedASCII } }
        exposed = Array((always + own).joined(separator: ", ").utf8)
    }

    /// Every origin may read, and no credentials of the browser are sent: then the answer is the same for all of them.
    var isPublic: Bool { terms.origins.isEmpty && !terms.allowsCredentials }

    /// The one place where it is decided what a request's origin may do. A request with several is none of a browser's, and is
    /// not allowed anything.
    func verdict(on head: RequestHead) -> Verdict {
        let bytes = head.bytes.span
        var origin: ByteRange?
        for field in head.fields where field.known == .other && field.name.count == 6 {
            guard bytes.extracting(field.name.range).equalsIgnoringCase("origin") else { continue }
            if origin != nil { return .notAllowed }
            origin = field.value
        }
        guard let origin else { return .noOrigin }
        if terms.origins.isEmpty { return .allowed(origin) }
        for allowed in terms.origins where allowed.matches(bytes.extracting(origin.range)) { return .allowed(origin) }
        return .notAllowed
    }

    // MARK: Fields

    /// Adds the fields of an answer to a request other than a preflight.
    /// - Parameters:
    ///   - head: nil where the request could not be read; then nothing is said to its origin that is not for all.
    ///   - isGRPC: status and message are fields of the answer, and pages may read them.
    func append(to lines: inout HeaderLines, for head: RequestHead?, isGRPC: Bool = false) {
        if appendOrigin(for: head, to: &lines) {
            lines.append(name: "Access-Control-Expose-Headers") { value in
                value.append(contentsOf: exposed)
                if isGRPC { value.append(", grpc-status, grpc-message") }
            }
        }
        if !isPublic { lines.append(name: "Vary", value: "Origin") }
    }

    /// Makes an upstream's answer one of this rule: what it says of other origins is dropped.
    /// - Parameter isShadow: the route takes nothing away: what the upstream says to an origin that is not allowed passes.
    package func complete(
        _ response: inout ResponseHead, of head: RequestHead, isShadow: Bool, into lines: inout HeaderLines
    ) {
        if leavesUpstream || isShadow && verdict(on: head) == .notAllowed { return }
        for index in response.fields.indices {
            let name = response.fields[index].name.range
            if Self.isCORSField(response.bytes.span.extracting(name)) { response.fields[index].isDropped = true }
        }
        append(to: &lines, for: head)
    }

    /// The fields of the protocol, those for requests too, which mean nothing in an answer.
    static func isCORSField(_ name: Span<UInt8>) -> Bool {
        let prefix: StaticString = "access-control-"
        let length = prefix.utf8CodeUnitCount
        return name.count > length && name.extracting(0..<length).equalsIgnoringCase(prefix)
    }

    /// Adds what says that the origin may read the answer. False where it may not.
    private func appendOrigin(for head: RequestHead?, to lines: inout HeaderLines) -> Bool {
        if isPublic {
            // Also where the request names no origin: a cache may give this answer to a page of another one.
            lines.append(name: "Access-Control-Allow-Origin", value: "*")
            return true
        }
        guard let head, case .allowed(let origin) = verdict(on: head) else { return false }
        lines.append(name: "Access-Control-Allow-Origin", value: head.bytes.span.extracting(origin.range))
        if terms.allowsCredentials { lines.append(name: "Access-Control-Allow-Credentials", value: "true") }
        return true
    }

    /// Adds the fields of the answer to a preflight whose origin is allowed.
    /// - Parameter methods: `Access-Control-Allow-Methods`; empty where none is allowed beyond what needs no preflight.
    func append(preflightTo lines: inout HeaderLines, for head: RequestHead, methods: [UInt8]) {
        _ = appendOrigin(for: head, to: &lines)
        if !methods.isEmpty { lines.append(name: "Access-Control-Allow-Methods", value: methods.span) }
        let headers = allowedHeaders
        if !headers.isEmpty { lines.append(name: "Access-Control-Allow-Headers", value: headers.span) }
        if let maxAge = terms.maxAge { lines.append(name: "Access-Control-Max-Age") { $0.append(decimal: maxAge / .seconds(1)) } }
        lines.append(name: "Vary") { value in
            if !isPublic { value.append("Origin, ") }
            value.append("Access-Control-Request-Method, Access-Control-Request-Headers")
        }
    }

    // MARK: What preflights ask

    /// A method is allowed by the policy itself; nil leaves it to the routes.
    func allows(_ method: Span<UInt8>) -> Bool? {
        guard let methods = terms.methods else { return nil }
        for allowed in methods where allowed == CORSConfiguration.wildcard || method.equals(allowed.utf8.span) { return true }
        return false
    }

    /// A request field is allowed.
    func allowsField(_ name: Span<UInt8>) -> Bool {
        var start = 0
        let bytes = allowedHeaders
        let list = bytes.span
        while start < list.count {
            let end = list.firstIndex(of: 0x2C, from: start) ?? list.count
            let allowed = list.extracting(list.trimmed(start..<end))
            if allowed.equalsIgnoringCase(name) { return true }
            if allowed.equals("*"), !name.equalsIgnoringCase("authorization") { return true }
            start = end &+ 1
        }
        return false
    }

    /// Both say the same to pages of other origins.
    func isLike(_ other: CORSRule?) -> Bool {
        guard let other else { return false }
        return terms == other.terms && leavesUpstream == other.leavesUpstream
    }
}

extension RateHeaderStyle {
    /// The names of the fields that answers have by this style.
    fileprivate var fieldNames: [String] {
        (families.contains(.x) ? ["X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset"] : [])
            + (families.contains(.ietf) ? ["RateLimit", "RateLimit-Policy"] : [])
    }
}
