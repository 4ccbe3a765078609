import Core

extension ClientAddress {
    /// What the forwarding fields of a trusted peer say of the scheme the client used; nil when they say nothing. Doubled
    /// and unreadable words are no https.
    func saysHTTPS(_ head: RequestHead) -> Bool? {
        switch family {
        case .none: return nil
        case .xForwarded: return Self.forwardedProto(head)
        case .forwarded: return Self.forwardedElement(head)
        case .both:
            guard let first = Self.forwardedProto(head) else { return Self.forwardedElement(head) }
            return first && Self.forwardedElement(head) ?? true
        }
    }

    private static func forwardedProto(_ head: RequestHead) -> Bool? {
        var word: Bool?
        for field in head.fields where field.known == .xForwardedProto {
            if word != nil { return false }
            word = head.bytes.span.extracting(field.value.range).equalsIgnoringCase("https")
        }
        return word
    }

    /// The `proto` of the last element of all (RFC 7239 §5.4).
    private static func forwardedElement(_ head: RequestHead) -> Bool? {
        guard let line = head.fields.last(where: { $0.known == .forwarded && !$0.value.isEmpty }) else { return nil }
        let value = head.bytes.span.extracting(line.value.range)
        guard let elements = ForwardedSyntax.elements(value) else { return false }
        guard let last = elements.last else { return nil }
        let element = value.extracting(last)
        switch ForwardedSyntax.parameter("proto", ofElement: element) {
        case .absent: return nil
        case .value(let range):
            let proto = element.extracting(range)
            return proto.equalsIgnoringCase("https") || proto.equalsIgnoringCase("\"https\"")
        case .invalid: return false
        }
    }
}
