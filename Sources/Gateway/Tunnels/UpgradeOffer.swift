import Core
import Policy

/// The change of protocol that a request asks for and its route admits: what goes to the upstream for it, and what the
/// upstream's answer must be.
struct UpgradeOffer {
    /// The protocol's name as the client spelled it.
    let name: [UInt8]
    let isWebSocket: Bool
    /// The Sec-WebSocket-Accept a WebSocket server has to answer; empty for other protocols.
    let acceptValue: [UInt8]
    /// The Sec-WebSocket-Key for a client whose own handshake has none (RFC 8441 §5); empty otherwise.
    private let ownKey: [UInt8]
    private let lacksVersion: Bool
    /// The last review of all tunnels before the request was granted.
    var reviewNumber: UInt64 = 0

    /// Nil when nothing is asked for or admitted, and when a WebSocket's handshake is not GET or has not one key: then no
    /// answer could be held against it, and the request is an ordinary one.
    init?(_ head: inout RequestHead, rule: UpgradeRule?) {
        guard let range = rule?.requested(by: head) else { return nil }
        let bytes = head.bytes
        let name = bytes.span.extracting(range)
        isWebSocket = name.equalsIgnoringCase("websocket")
        self.name = name.copied()
        guard isWebSocket else {
            (acceptValue, ownKey, lacksVersion) = ([], [], false)
            return
        }
        let keys = Self.places(of: "sec-websocket-key", in: head)
        if head.version == .http2 {
            for place in keys { head.fields[place].isDropped = true }
            ownKey = WebSocketHandshake.makeKey()
            lacksVersion = Self.places(of: "sec-websocket-version", in: head).isEmpty
            acceptValue = WebSocketHandshake.acceptValue(for: ownKey)
        } else {
            guard head.method == .get, keys.count == 1, !head.fields[keys[0]].isDropped else { return nil }
            (ownKey, lacksVersion) = ([], false)
            acceptValue = WebSocketHandshake.acceptValue(for: Array(bytes[head.fields[keys[0]].value.range]))
        }
    }

    private static func places(of name: StaticString, in head: RequestHead) -> [Int] {
        let bytes = head.bytes.span
        return head.fields.indices.filter {
            bytes.extracting(head.fields[$0].name.range).equalsIgnoringCase(name)
        }
    }

    /// Adds what asks an HTTP/1.1 upstream for the change.
    func append(requestLinesTo lines: inout HeaderLines) {
        lines.append(name: "Connection", value: "Upgrade")
        lines.append(name: "Upgrade", value: name.span)
        if !ownKey.isEmpty { lines.append(name: "Sec-WebSocket-Key", value: ownKey.span) }
        if lacksVersion { lines.append(name: "Sec-WebSocket-Version", value: "13") }
    }

    /// Makes the request one that asks an HTTP/2 upstream for a WebSocket (RFC 8441 §5): without the handshake's key.
    func prepare(extendedConnect head: inout RequestHead, adding lines: inout HeaderLines) {
        for place in Self.places(of: "sec-websocket-key", in: head) { head.fields[place].isDropped = true }
        if lacksVersion { lines.append(name: "sec-websocket-version", value: "13") }
    }

    /// Whether a 101 of an HTTP/1.1 upstream grants this offer: it says that it upgrades, names the one protocol once
    /// (RFC 9110 §7.8), and a WebSocket server proves that it read the handshake (RFC 6455 §4.1).
    func isGranted(by head: ResponseHead) -> Bool {
        let bytes = head.bytes.span
        var upgrades = false
        var names = 0
        var proofs = 0
        for field in head.fields {
            let value = bytes.extracting(field.value.range)
            switch field.known {
            case .connection: upgrades = upgrades || Self.lists(value, "upgrade")
            case .upgrade:
                guard value.equalsIgnoringCase(name.span) else { return false }
                names &+= 1
            case .other where isWebSocket:
                guard bytes.extracting(field.name.range).equalsIgnoringCase("sec-websocket-accept") else { continue }
                guard value.equals(acceptValue.span) else { return false }
                proofs &+= 1
            case .other, .authorization, .contentLength, .contentType, .cookie, .date, .expect, .forwarded, .host,
                .keepAlive, .maxForwards, .proxyConnection, .proxyAuthorization, .proxyAuthenticate, .retryAfter,
                .server, .te, .trailer, .transferEncoding, .via, .wwwAuthenticate, .xForwardedFor, .xForwardedHost,
                .xForwardedProto, .xForwardedPort, .xRealIP, .xRequestID, .traceparent:
                break
            }
        }
        return upgrades && names == 1 && proofs == (isWebSocket ? 1 : 0)
    }

    /// Whether a comma-separated list holds a token.
    private static func lists(_ value: Span<UInt8>, _ token: StaticString) -> Bool {
        var start = 0
        while start < value.count {
            let end = value.firstIndex(of: 0x2C, from: start) ?? value.count
            if value.extracting(value.trimmed(start..<end)).equalsIgnoringCase(token) { return true }
            start = end &+ 1
        }
        return false
    }
}
