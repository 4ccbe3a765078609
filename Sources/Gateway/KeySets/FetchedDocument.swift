import Core

/// A document as an issuer sent it, and how long it may be kept.
struct FetchedDocument: Equatable {
    /// What Cache-Control says of the time a document may be used (RFC 9111 §5.2.2).
    enum Lifetime: Equatable {
        /// Nothing is said.
        case unstated
        /// `no-store` or `no-cache`.
        case none
        /// `max-age`, less the age the answer already had.
        case lasts(Nanoseconds)
    }

    var bytes: [UInt8]
    var lifetime: Lifetime

    init(bytes: [UInt8], lifetime: Lifetime) {
        self.bytes = bytes
        self.lifetime = lifetime
    }

    /// The lifetime that the fields of an answer state. Unreadable directives count as not there; the strictest wins.
    static func lifetime(of head: ResponseHead) -> Lifetime {
        var age: Int64 = 0
        var maxAge: Int64?
        let bytes = head.bytes.span
        for field in head.fields {
            let name = bytes.extracting(field.name.range)
            let value = String(copying: bytes.extracting(field.value.range))
            if name.equalsIgnoringCase("age") {
                age = max(age, Int64(value) ?? 0)
            } else if name.equalsIgnoringCase("cache-control") {
                for directive in value.lowercased().split(separator: ",") {
                    let parts = directive.split(separator: "=", maxSplits: 1).map { $0.trimmingBlanks() }
                    switch parts.first {
                    case "no-store", "no-cache": return .none
                    case "max-age" where parts.count == 2:
                        guard let seconds = Int64(parts[1].filter { $0 != "\"" }), seconds >= 0 else { continue }
                        maxAge = min(maxAge ?? .max, seconds)
                    default: continue
                    }
                }
            }
        }
        guard let maxAge else { return .unstated }
        return .lasts(.seconds(min(max(maxAge - age, 0), 1_000_000_000)))
    }

    /// How long the document is fresh within the bounds of a key set's configuration.
    func freshness(refresh: Nanoseconds, minimum: Nanoseconds, maximum: Nanoseconds) -> Nanoseconds {
        let wanted =
            switch lifetime {
            case .unstated: refresh
            case .none: minimum
            case .lasts(let stated): stated
            }
        return max(minimum, min(wanted, max(maximum, minimum)))
    }
}

extension String {
    fileprivate init(copying bytes: Span<UInt8>) { self.init(decoding: bytes.copied(), as: UTF8.self) }
}

extension Substring {
    fileprivate func trimmingBlanks() -> Substring {
        var text = self
        while text.first == " " || text.first == "\t" { text.removeFirst() }
        while text.last == " " || text.last == "\t" { text.removeLast() }
        return text
    }
}
