import Core

/// A document as an issuer sent it, and how long it may be kept.
struct FetchedDocument: Equatable, Sendable {
    /// What Cache-Control says of the time a document may be used (RFC 9111 §5.2.2).
    enum Lifetime: Equatable, Sendable {
        /// Nothing is said.
        case unstated
        /// `no-store` or `no-cache`.
        case none
        /// `max-age`, less the age the answer already had.
        case lasts(Nanoseconds)
    }

    /// What is said to last longer lasts this long: RFC 9111 §1.2.2 asks for 2^31 seconds where a number is too large.
    private static let lifetimeLimit: Int64 = 1 << 31

    var bytes: [UInt8]
    var lifetime: Lifetime

    /// The lifetime that the fields of an answer state. Unreadable directives count as not there; the strictest wins.
    static func lifetime(of head: ResponseHead) -> Lifetime {
        var age: Int64 = 0
        var maximumAge: Int64?
        let bytes = head.bytes.span
        for field in head.fields {
            let name = bytes.extracting(field.name.range)
            let value = bytes.extracting(field.value.range)
            if name.equalsIgnoringCase("age") {
                age = max(age, seconds(value) ?? 0)
            } else if name.equalsIgnoringCase("cache-control") {
                var start = 0
                while start < value.count {
                    let end = value.firstIndex(of: 0x2C, from: start) ?? value.count
                    let directive = value.extracting(value.trimmed(start..<end))
                    start = end + 1
                    let equals = directive.firstIndex(of: 0x3D) ?? directive.count
                    let word = directive.extracting(directive.trimmed(0..<equals))
                    if word.equalsIgnoringCase("no-store") || word.equalsIgnoringCase("no-cache") { return .none }
                    guard word.equalsIgnoringCase("max-age"), equals < directive.count,
                        let stated = seconds(directive.extracting(directive.trimmed(equals + 1..<directive.count)))
                    else { continue }
                    maximumAge = min(maximumAge ?? stated, stated)
                }
            }
        }
        guard let maximumAge else { return .unstated }
        return .lasts(.seconds(max(maximumAge - age, 0)))
    }

    /// A number of seconds, in quotation marks or without (RFC 9111 §5.2); nil when it is none.
    private static func seconds(_ text: Span<UInt8>) -> Int64? {
        let isQuoted = text.count > 2 && text[0] == 0x22 && text[text.count - 1] == 0x22
        let digits = isQuoted ? text.extracting(1..<text.count - 1) : text
        guard digits.count > 0 else { return nil }
        var seconds: Int64 = 0
        for index in digits.indices {
            guard digits[index].isDigit else { return nil }
            seconds = min(seconds * 10 + Int64(digits[index] - 0x30), lifetimeLimit)
        }
        return seconds
    }
}
