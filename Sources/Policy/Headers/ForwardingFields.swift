import Core

/// Writes the fields that tell an upstream where a request came from: X-Forwarded-*, X-Real-IP, Forwarded (RFC 7239),
/// Via.
///
/// What an untrusted peer says about itself is dropped, both families whole, and so is the family that is not
/// configured even from a trusted peer, who may have passed it on from anybody. The addresses of a trusted peer are
/// kept and the peer is added to them; its X-Forwarded-Proto, -Host and -Port are kept where there is one of them and
/// it is well formed.
struct ForwardingFields: Sendable {
    private let writesX: Bool
    private let writesForwarded: Bool
    /// Our Via entry by the version of the request, as `1.1 portcullis`; nil where Via is left alone.
    private let via: (http10: [UInt8], http11: [UInt8], http2: [UInt8])?

    init(_ configuration: Configuration) {
        writesX = configuration.forwardedFields == .xForwarded || configuration.forwardedFields == .both
        writesForwarded = configuration.forwardedFields == .forwarded || configuration.forwardedFields == .both
        via = configuration.via.map { (Array("1.0 \($0)".utf8), Array("1.1 \($0)".utf8), Array("2.0 \($0)".utf8)) }
    }

    /// Marks the client's fields dropped and adds ours.
    func append(
        to lines: inout HeaderLines, head: inout RequestHead, connection: ConnectionFacts, client: IPAddress,
        isPeerTrusted: Bool
    ) {
        if writesX {
            appendAddresses(to: &lines, head, connection, client, isPeerTrusted)
            appendOrigin(to: &lines, &head, connection, isPeerTrusted)
        }
        if writesForwarded {
            lines.append(name: "Forwarded") { value in
                if isPeerTrusted { Self.appendReceived(.forwarded, head, to: &value) }
                Self.appendElement(head, connection, to: &value)
            }
        }
        if let via {
            switch head.version {
            case .http10: lines.append(name: "Via", value: via.http10.span)
            case .http11: lines.append(name: "Via", value: via.http11.span)
            case .http2: lines.append(name: "Via", value: via.http2.span)
            }
        }
    }

    /// X-Forwarded-For and X-Real-IP.
    private func appendAddresses(
        to lines: inout HeaderLines, _ head: RequestHead, _ connection: ConnectionFacts, _ client: IPAddress,
        _ isPeerTrusted: Bool
    ) {
        let peer = connection.peerText
        guard isPeerTrusted else {
            lines.append(name: "X-Forwarded-For", value: peer.span)
            lines.append(name: "X-Real-IP", value: peer.span)
            return
        }
        lines.append(name: "X-Forwarded-For") { value in
            Self.appendReceived(.xForwardedFor, head, to: &value)
            value.append(contentsOf: peer.span)
        }
        lines.append(name: "X-Real-IP") { client.append(to: &$0) }
    }

    /// X-Forwarded-Proto, -Host and -Port: a trusted peer's own, or this connection's.
    private func appendOrigin(
        to lines: inout HeaderLines, _ head: inout RequestHead, _ connection: ConnectionFacts, _ isPeerTrusted: Bool
    ) {
        if !(isPeerTrusted && Self.keep(.xForwardedProto, &head)) {
            connection.isSecure
                ? lines.append(name: "X-Forwarded-Proto", value: "https")
                : lines.append(name: "X-Forwarded-Proto", value: "http")
        }
        if !(isPeerTrusted && Self.keep(.xForwardedHost, &head)), !head.authority.isEmpty {
            lines.append(name: "X-Forwarded-Host", value: head.bytes.span.extracting(head.authority.range))
        }
        if !(isPeerTrusted && Self.keep(.xForwardedPort, &head)) {
            lines.append(name: "X-Forwarded-Port", value: connection.localPortText.span)
        }
    }

    /// Lets the one well-formed line of a field go on; false where there is none, or more than one.
    private static func keep(_ field: KnownField, _ head: inout RequestHead) -> Bool {
        var found: Int?
        for index in head.fields.indices where head.fields[index].known == field {
            if found != nil { return false }
            found = index
        }
        guard let found else { return false }
        let isKept = isWellFormed(field, head.bytes.span.extracting(head.fields[found].value.range))
        head.fields[found].isDropped = !isKept
        return isKept
    }

    private static func isWellFormed(_ field: KnownField, _ value: Span<UInt8>) -> Bool {
        if field == .xForwardedProto { return value.equalsIgnoringCase("http") || value.equalsIgnoringCase("https") }
        return field == .xForwardedHost ? Authority.isValidAuthority(value) : Authority.port(value) != nil
    }

    /// The received lines of a list, and the comma after them.
    private static func appendReceived(_ field: KnownField, _ head: RequestHead, to value: inout [UInt8]) {
        for line in head.fields where line.known == field && !line.value.isEmpty {
            value.append(contentsOf: head.bytes.span.extracting(line.value.range))
            value.append(", ")
        }
    }

    /// Our element of Forwarded; what is no token stands in quotation marks (RFC 7239 §4, §6).
    private static func appendElement(_ head: RequestHead, _ connection: ConnectionFacts, to value: inout [UInt8]) {
        switch connection.peer.family {
        case .v4:
            value.append("for=")
            connection.peer.append(to: &value)
        case .v6:
            value.append("for=\"[")
            connection.peer.append(to: &value)
            value.append("]\"")
        }
        if !head.authority.isEmpty {
            // An authority has neither quotation marks nor backslashes.
            value.append(";host=\"")
            value.append(contentsOf: head.bytes.span.extracting(head.authority.range))
            value.append(0x22)
        }
        connection.isSecure ? value.append(";proto=https") : value.append(";proto=http")
    }
}
