/// The version a message claims. HTTP/0.9 and unknown versions never get this far.
@frozen @usableFromInline
package enum HTTPVersion: UInt8, Sendable { case http10, http11, http2 }

/// How long the content of a message is (RFC 9112 §6.3).
@frozen @usableFromInline
package enum BodyFraming: Equatable, Sendable {
    case none
    case length(UInt64)
    case chunked
    /// Responses only: everything until the connection closes.
    case untilClose

    /// There is content, as far as the head tells; over HTTP/2 without `content-length` it may turn out to be empty.
    package var announcesContent: Bool {
        switch self {
        case .none, .length(0): false
        case .length, .chunked, .untilClose: true
        }
    }
}

/// The methods the gateway treats apart; any other token is `.other` and forwarded as it is.
@frozen @usableFromInline
package enum Method: UInt8, Sendable {
    case get, head, post, put, delete, patch, options, trace, connect, other

    /// RFC 9110 §9.2.2: may be sent again when nobody knows whether it was carried out.
    @inlinable package var isIdempotent: Bool {
        switch self {
        case .get, .head, .put, .delete, .options, .trace: true
        case .post, .patch, .connect, .other: false
        }
    }
}

/// The form of a request target (RFC 9112 §3.2).
@frozen @usableFromInline
package enum TargetForm: UInt8, Sendable { case origin, absolute, asterisk }

/// A request head: its own copy of the bytes and where each part lies in them. One value is reused for request after
/// request, so that parsing allocates nothing once the arrays have grown.
package struct RequestHead: Sendable {
    /// The head's bytes; every range below points into them. Over HTTP/1 the head as received; over HTTP/2 an
    /// equivalent HTTP/1.1 head.
    package var bytes: [UInt8] = []
    package var fields: [FieldLine] = []
    package var method = Method.get
    package var methodRange = ByteRange.empty
    /// The whole target as received.
    package var target = ByteRange.empty
    package var targetForm = TargetForm.origin
    /// The path of the target, without query; "*" in asterisk-form; "/" stands for an empty path (then the range is empty).
    package var path = ByteRange.empty
    /// The query without its "?", and whether there is one at all ("/a?" has an empty one).
    package var query = ByteRange.empty
    package var hasQuery = false
    /// Host and port the request is for: from an absolute-form target, else from the Host field. Valid syntax.
    package var authority = ByteRange.empty
    package var version = HTTPVersion.http11
    package var framing = BodyFraming.none
    /// The connection may carry another request after this one (RFC 9112 §9.3).
    package var keepsAlive = true
    /// `Expect: 100-continue` from an HTTP/1.1 client.
    package var expectsContinue = false
    /// `TE: trailers` was said.
    package var acceptsTrailers = false
    /// The Connection field asks for an upgrade and an Upgrade field names one.
    package var wantsUpgrade = false

    package init() {}

    /// As its framing tells.
    package var announcesContent: Bool { framing.announcesContent }

    /// The expectation is met here and does not go on.
    package mutating func dropExpectation() {
        guard expectsContinue else { return }
        expectsContinue = false
        for index in fields.indices where fields[index].known == .expect { fields[index].isDropped = true }
    }

    /// Empties the head but keeps its storage.
    package mutating func removeAll() {
        bytes.removeAll(keepingCapacity: true)
        fields.removeAll(keepingCapacity: true)
        removeFacts()
    }

    /// Forgets all but `bytes` and `fields`, for whoever puts others in their place.
    package mutating func removeFacts() {
        method = .get
        methodRange = .empty
        target = .empty
        targetForm = .origin
        path = .empty
        query = .empty
        hasQuery = false
        authority = .empty
        version = .http11
        framing = .none
        keepsAlive = true
        expectsContinue = false
        acceptsTrailers = false
        wantsUpgrade = false
    }
}

/// A response head from an upstream: its own copy of the bytes and where each part lies in them. Reused.
package struct ResponseHead: Sendable {
    package var bytes: [UInt8] = []
    package var fields: [FieldLine] = []
    package var status = 0
    /// The reason phrase as received; may be empty.
    package var reason = ByteRange.empty
    package var version = HTTPVersion.http11
    package var framing = BodyFraming.none
    package var keepsAlive = true

    package init() {}

    /// Empties the head but keeps its storage.
    package mutating func removeAll() {
        bytes.removeAll(keepingCapacity: true)
        fields.removeAll(keepingCapacity: true)
        removeFacts()
    }

    /// Forgets all but `bytes` and `fields`, for whoever puts others in their place.
    package mutating func removeFacts() {
        status = 0
        reason = .empty
        version = .http11
        framing = .none
        keepsAlive = true
    }
}
