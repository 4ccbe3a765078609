import Core

/// Reads X-Forwarded-For lists and Forwarded elements (RFC 7239 §4), strictly: what is not clear is no address.
enum ForwardedSyntax {
    /// The items between commas, without whitespace around them. Empty ones, as proxies leave that join lists, are none (RFC 9110
    /// §5.6.1.2).
    static func listItems(_ value: Span<UInt8>) -> [Range<Int>] {
        var items: [Range<Int>] = []
        forEachItem(value) { items.append($0) }
        return items
    }

    static func forEachItem(_ value: Span<UInt8>, _ body: (Range<Int>) -> Void) {
        var start = 0
        while start < value.count {
            let end = value.firstIndex(of: 0x2C, from: start) ?? value.count
            let item = value.trimmed(start..<end)
            if !item.isEmpty { body(item) }
            start = end &+ 1
        }
    }

    /// The elements of a Forwarded value, without empty ones: commas in quoted strings divide nothing. Nil when a quotation mark is
    /// left open.
    static func elements(_ value: Span<UInt8>) -> [Range<Int>]? { split(value, at: 0x2C)?.filter { !$0.isEmpty } }

    /// An address as X-Forwarded-For has it: bare, with a port, in brackets, in quotation marks.
    static func address(_ item: Span<UInt8>) -> IPAddress? {
        if item.count >= 2, item[0] == 0x22 {
            guard item[item.count &- 1] == 0x22 else { return nil }
            return address(item.extracting(1..<item.count &- 1))
        }
        if let plain = IPAddress(item) { return plain }
        return addressWithPort(item)
    }

    /// What an element says under one name.
    enum Parameter {
        case absent
        /// With its quotation marks, if it has any.
        case value(Range<Int>)
        /// It stands there twice, or the element cannot be read.
        case invalid
    }

    static func parameter(_ name: StaticString, ofElement element: Span<UInt8>) -> Parameter {
        guard let pairs = split(element, at: 0x3B) else { return .invalid }
        var found: Range<Int>?
        for pair in pairs {
            guard let equals = element.extracting(pair).firstIndex(of: 0x3D) else { return .invalid }
            let key = element.extracting(pair.lowerBound..<pair.lowerBound &+ equals)
            guard key.equalsIgnoringCase(name) else { continue }
            guard found == nil else { return .invalid }
            found = pair.lowerBound &+ equals &+ 1..<pair.upperBound
        }
        return found.map(Parameter.value) ?? .absent
    }

    /// The address of an element's one `for` parameter; nil when there is none, or two, or it names something else.
    static func node(ofElement element: Span<UInt8>) -> IPAddress? {
        guard case .value(let found) = parameter("for", ofElement: element) else { return nil }
        let value = element.extracting(found)
        guard value.count > 0 else { return nil }
        guard value[0] == 0x22 else {
            // Brackets and colons need quotation marks, so a bare value is an IPv4 address or no address.
            return value.firstIndex(of: 0x3A) == nil ? IPAddress(value) : nil
        }
        guard value.count > 2, value.firstIndex(of: 0x5C) == nil else { return nil }
        let inner = value.extracting(1..<value.count &- 1)
        if inner.firstIndex(of: 0x3A) == nil { return IPAddress(inner) }
        return addressWithPort(inner)
    }

    /// `192.0.2.1:80`, `[2001:db8::1]`, `[2001:db8::1]:80`; the port may be obfuscated (RFC 7239 §6.3).
    private static func addressWithPort(_ item: Span<UInt8>) -> IPAddress? {
        let host = Authority.hostRange(in: item)
        guard host.count > 0 else { return nil }
        if host.upperBound < item.count {
            guard item[host.upperBound] == 0x3A, isPort(item.extracting(host.upperBound &+ 1..<item.count)) else {
                return nil
            }
        }
        if item[0] == 0x5B {
            guard host.count > 2, item[host.upperBound &- 1] == 0x5D else { return nil }
            let literal = item.extracting(1..<host.upperBound &- 1)
            guard literal.firstIndex(of: 0x3A) != nil else { return nil }
            return IPAddress(literal)
        }
        guard let address = IPAddress(item.extracting(host)), address.family == .v4 else { return nil }
        return address
    }

    private static func isPort(_ text: Span<UInt8>) -> Bool {
        if Authority.port(text) != nil { return true }
        guard text.count > 1, text[0] == 0x5F else { return false }
        for index in 1..<text.count {
            let byte = text[index]
            guard (byte | 0x20) &- 0x61 < 26 || byte.isDigit || byte == 0x2E || byte == 0x5F || byte == 0x2D else {
                return false
            }
        }
        return true
    }

    /// Splits outside of quoted strings, whitespace around the pieces taken off.
    private static func split(_ value: Span<UInt8>, at separator: UInt8) -> [Range<Int>]? {
        var pieces: [Range<Int>] = []
        var start = 0
        var index = 0
        var isQuoted = false
        while index < value.count {
            let byte = value[index]
            if byte == 0x22 {
                isQuoted.toggle()
            } else if byte == 0x5C, isQuoted {
                index &+= 1
            } else if byte == separator, !isQuoted {
                pieces.append(value.trimmed(start..<index))
                start = index &+ 1
            }
            index &+= 1
        }
        guard !isQuoted else { return nil }
        pieces.append(value.trimmed(start..<value.count))
        return pieces
    }
}
