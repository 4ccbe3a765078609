import Core

/// A preflight: what a browser asks, without credentials, before it sends a page's request to another origin (WHATWG Fetch,
/// "CORS-preflight fetch"). An OPTIONS request without `Origin` or without one method asked for is an ordinary request.
struct Preflight {
    /// Longer methods than routes can name are none that a page sends.
    private static let methodBytes = 32

    /// Where the method of the request that is asked about is in the head.
    let method: ByteRange

    init?(_ head: RequestHead) {
        guard head.method == .options, head.targetForm != .asterisk else { return nil }
        let bytes = head.bytes.span
        var method: ByteRange?
        var hasOrigin = false
        for field in head.fields where field.known == .other {
            let name = bytes.extracting(field.name.range)
            if name.equalsIgnoringCase("origin") {
                hasOrigin = true
            } else if name.equalsIgnoringCase("access-control-request-method") {
                guard method == nil else { return nil }
                method = field.value
            }
        }
        guard hasOrigin, let method, method.range.count <= Self.methodBytes, bytes.extracting(method.range).isToken else { return nil }
        self.method = method
    }

    /// The head of the request that is asked about, as far as a preflight tells.
    func asked(_ head: RequestHead) -> RequestHead {
        var asked = head
        let bytes = head.bytes.span
        asked.method = Method(token: bytes.extracting(method.range))
        asked.methodRange = method
        return asked
    }

    /// Names of fields that are looked at.
    private static let namedFieldLimit = 256

    /// Calls `body` with each name in the lists of fields that the request would have, those that are no names included; with
    /// the first 256 of them.
    static func forEachField(of head: RequestHead, _ body: (Span<UInt8>) -> Void) {
        let bytes = head.bytes.span
        var count = 0
        for field in head.fields where field.known == .other {
            guard bytes.extracting(field.name.range).equalsIgnoringCase("access-control-request-headers") else { continue }
            let list = bytes.extracting(field.value.range)
            var start = 0
            while start < list.count, count < namedFieldLimit {
                let end = list.firstIndex(of: 0x2C, from: start) ?? list.count
                let name = list.trimmed(start..<end)
                if !name.isEmpty { body(list.extracting(name)) }
                count &+= 1
                start = end &+ 1
            }
        }
    }
}
