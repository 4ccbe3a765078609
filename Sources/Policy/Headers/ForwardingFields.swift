import Core

/// Writes the fields that tell an upstream where a request came from: X-Forwarded-*, X-Real-IP, Forwarded (RFC 7239),
/// Via.
///
/// What an untrusted peer says about itself is dropped, both families whole, and so is the family that is not
/// configured even from a trusted peer, who may have passed it on from anybody. The addresses of a trusted peer are
/// kept and the peer is added to them; its X-Forwarded-Proto (in lower case), -Host and -Port are kept where there is
/// one of them and it is well formed.
///
/// X-Forwarded-Port is the port of the host that X-Forwarded-Host names, else the default of the scheme that
/// X-Forwarded-Proto names: what the client asked for, which the listener's port is not behind a port mapping.
final class ForwardingFields: Sendable {
    private let writesX: Bool
    private let writesForwarded: Bool
    /// Our Via entry by the version of the request, as `1.1 portcullis`; nil where Via is left alone.
    private let via: (http10: [UInt8], http11: [UInt8], http2: [UInt8])?

    /// There is nothing to tell of requests that nobody has handed on before.
    private var isSilent: Bool { !writesX && !writesForwarded && via == nil }

    init(_ configuration: Configuration) {
        writesX = configuration.forwardedFields == .xForwarded || configuration.forwardedFields == .both
        writesForwarded = configuration.forwardedFields == .forwarded || configuration.forwardedFields == .both
        via = configuration.via.map { (Array("1.0 \($0)".utf8), Array("1.1 \($0)".utf8), Array("2.0 \($0)".utf8)) }
    }

    /// Marks the client's fields dropped and adds ours.
    @inline(__always)
    func append(to plan: inout UpstreamPlan, head: inout RequestHead, connection: ConnectionFacts, grant: Grant) {
        if grant.isPeerTrusted {
            appendBehindProxy(to: &plan.lines, &head, connection, grant.client)
            return
        }
        guard !isSilent else { return }
        let origin = OriginCache.Origin(
            peer: connection.peer, isSecure: connection.isSecure, version: head.version)
        let authority = head.bytes.span.extracting(head.authority.range)
        plan.origins.append(origin, authority: authority, by: self, to: &plan.lines) { lines in
            write(origin, authority, to: &lines)
        }
    }

    /// The lines of a request that nobody has handed on before.
    private func write(_ origin: OriginCache.Origin, _ authority: Span<UInt8>, to lines: inout HeaderLines) {
        if writesX {
            lines.append(name: "X-Forwarded-For") { origin.peer.append(to: &$0) }
            lines.append(name: "X-Real-IP") { origin.peer.append(to: &$0) }
            Self.appendScheme(origin.isSecure, to: &lines)
            if authority.count > 0 { lines.append(name: "X-Forwarded-Host", value: authority) }
            Self.appendPort(of: authority, origin.isSecure, to: &lines)
        }
        if writesForwarded {
            lines.append(name: "Forwarded") { Self.appendElement(origin.peer, origin.isSecure, authority, to: &$0) }
        }
        appendVia(origin.version, to: &lines)
    }

    /// The lines of a request from a trusted peer.
    private func appendBehindProxy(
        to lines: inout HeaderLines, _ head: inout RequestHead, _ connection: ConnectionFacts, _ client: IPAddress
    ) {
        if writesX {
            lines.append(name: "X-Forwarded-For") { value in
                Self.appendReceived(.xForwardedFor, head, to: &value)
                connection.peer.append(to: &value)
            }
            lines.append(name: "X-Real-IP") { client.append(to: &$0) }
            appendOrigin(to: &lines, &head, connection)
        }
        if writesForwarded {
            lines.append(name: "Forwarded") { value in
                Self.appendReceived(.forwarded, head, to: &value)
                let authority = head.bytes.span.extracting(head.authority.range)
                Self.appendElement(connection.peer, connection.isSecure, authority, to: &value)
            }
        }
        appendVia(head.version, to: &lines)
    }

    private func appendVia(_ version: HTTPVersion, to lines: inout HeaderLines) {
        guard let via else { return }
        switch version {
        case .http10: lines.append(name: "Via", value: via.http10.span)
        case .http11: lines.append(name: "Via", value: via.http11.span)
        case .http2: lines.append(name: "Via", value: via.http2.span)
        }
    }

    private static func appendScheme(_ isSecure: Bool, to lines: inout HeaderLines) {
        isSecure
            ? lines.append(name: "X-Forwarded-Proto", value: "https")
            : lines.append(name: "X-Forwarded-Proto", value: "http")
    }

    /// X-Forwarded-Proto, -Host and -Port: the trusted peer's own, or this connection's.
    private func appendOrigin(to lines: inout HeaderLines, _ head: inout RequestHead, _ connection: ConnectionFacts) {
        // Written anew: upstreams compare the scheme byte by byte, and proxies write it in any case.
        let isSecure = Self.saysSecure(head) ?? connection.isSecure
        Self.appendScheme(isSecure, to: &lines)
        let saidHost = Self.keep(.xForwardedHost, &head)
        let host = saidHost ?? head.authority
        if saidHost == nil, !host.isEmpty {
            lines.append(name: "X-Forwarded-Host", value: head.bytes.span.extracting(host.range))
        }
        if Self.keep(.xForwardedPort, &head) == nil {
            Self.appendPort(of: head.bytes.span.extracting(host.range), isSecure, to: &lines)
        }
    }

    /// Whether the one X-Forwarded-Proto says https, in any case; nil where there is none, more than one, or another scheme.
    private static func saysSecure(_ head: RequestHead) -> Bool? {
        var found: ByteRange?
        for field in head.fields where field.known == .xForwardedProto {
            if found != nil { return nil }
            found = field.value
        }
        guard let found else { return nil }
        let scheme = head.bytes.span.extracting(found.range)
        return scheme.equalsIgnoringCase("https") ? true : scheme.equalsIgnoringCase("http") ? false : nil
    }

    /// X-Forwarded-Port: the port of the authority, else the default of the scheme.
    private static func appendPort(of authority: Span<UInt8>, _ isSecure: Bool, to lines: inout HeaderLines) {
        let host = Authority.hostRange(in: authority)
        let named = host.upperBound < authority.count
            ? Authority.port(authority.extracting(host.upperBound &+ 1..<authority.count)) : nil
        lines.append(name: "X-Forwarded-Port") { $0.append(decimal: named ?? (isSecure ? 443 : 80)) }
    }

    /// Lets the one well-formed line of a field go on, and gives its value; nil where there is none, or more than one.
    private static func keep(_ field: KnownField, _ head: inout RequestHead) -> ByteRange? {
        var found: Int?
        for index in head.fields.indices where head.fields[index].known == field {
            if found != nil { return nil }
            found = index
        }
        guard let found else { return nil }
        let value = head.bytes.span.extracting(head.fields[found].value.range).copied()
        let start = Int(head.fields[found].value.start)
        let count = validCount(field, value.span)
        head.fields[found].isDropped = count == nil
        guard let count else { return nil }
        head.fields[found].value = ByteRange(start: start, count: count)
        return head.fields[found].value
    }

    /// How much of a value goes on: all of it, or a host without the colon of an empty port; nil for an invalid one.
    private static func validCount(_ field: KnownField, _ value: Span<UInt8>) -> Int? {
        if field == .xForwardedHost { return Authority.significantCount(in: value) }
        return Authority.port(value) != nil ? value.count : nil
    }

    /// The received lines of a list, and the comma after them.
    private static func appendReceived(_ field: KnownField, _ head: RequestHead, to value: inout [UInt8]) {
        for line in head.fields where line.known == field && !line.value.isEmpty {
            let received = head.bytes.span.extracting(line.value.range)
            guard field == .xForwardedFor else {
                value.append(contentsOf: received)
                value.append(", ")
                continue
            }
            // Servers that count addresses from the end must not count empty ones.
            ForwardedSyntax.forEachItem(received) { item in
                value.append(contentsOf: received.extracting(item))
                value.append(", ")
            }
        }
    }

    /// Our element of Forwarded; what is no token is in quotation marks (RFC 7239 §4, §6).
    private static func appendElement(
        _ peer: IPAddress, _ isSecure: Bool, _ authority: Span<UInt8>, to value: inout [UInt8]
    ) {
        switch peer.family {
        case .v4:
            value.append("for=")
            peer.append(to: &value)
        case .v6:
            value.append("for=\"[")
            peer.append(to: &value)
            value.append("]\"")
        }
        if authority.count > 0 {
            // An authority has neither quotation marks nor backslashes.
            value.append(";host=\"")
            value.append(contentsOf: authority)
            value.append(0x22)
        }
        isSecure ? value.append(";proto=https") : value.append(";proto=http")
    }
}
