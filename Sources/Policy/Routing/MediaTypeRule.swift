import Core

/// Media types that a route serves or takes, in lower case without parameters.
struct MediaTypeRule: Sendable {
    private let types: [[UInt8]]
    /// `*/*` is one of them.
    private let takesAny: Bool
    /// `text/plain` is one of them: actions read such content as JSON.
    let takesPlainText: Bool

    init(_ types: [String]) {
        self.types = types.map { $0.utf8.map(\.lowercasedASCII) }.filter { $0 != Array("*/*".utf8) }
        takesAny = types.contains("*/*")
        takesPlainText = self.types.contains(Array("text/plain".utf8))
    }

    // MARK: Accept

    /// Whether a client takes what the route serves (RFC 9110 §12.5.1). Ranges, and no field at all, which means the same,
    /// count only where the rule has `*/*`. A range that names the type outright decides over wider ones.
    func isAccepted(by head: RequestHead) -> Bool {
        var hasField = false
        var named: Bool?
        var ranged: Bool?
        for field in head.fields where field.known == .other {
            guard head.bytes.span.extracting(field.name.range).equalsIgnoringCase("accept") else { continue }
            hasField = true
            let value = head.bytes.span.extracting(field.value.range)
            var start = 0
            while start < value.count {
                let end = Self.end(of: start, in: value, at: 0x2C)
                let element = value.extracting(value.trimmed(start..<end))
                start = end &+ 1
                let type = element.extracting(Self.type(of: element))
                if contains(type) {
                    named = (named ?? false) || !Self.isRefused(element)
                } else if covers(type) {
                    ranged = (ranged ?? false) || !Self.isRefused(element)
                }
            }
        }
        if let named { return named }
        return takesAny && (ranged ?? !hasField)
    }

    // MARK: Content-Type

    /// Whether the content of a request is of one of the types; a request without content has none to be wrong.
    func takesContent(of head: RequestHead) -> Bool {
        if !head.announcesContent { return true }
        if takesAny { return true }
        var found: Bool?
        for field in head.fields where field.known == .contentType {
            if found != nil { return false }
            let value = head.bytes.span.extracting(field.value.range)
            found = contains(value.extracting(Self.type(of: value)))
        }
        return found ?? false
    }

    // MARK: Types

    private func contains(_ type: Span<UInt8>) -> Bool {
        types.contains { type.equalsIgnoringCase(lowercase: $0.span) }
    }

    /// `*/*`, or `TYPE/*` of one of the types.
    private func covers(_ range: Span<UInt8>) -> Bool {
        guard range.count >= 3, range[range.count &- 1] == 0x2A, range[range.count &- 2] == 0x2F else { return false }
        if range.count == 3, range[0] == 0x2A { return true }
        let kind = range.extracting(0..<range.count &- 1)
        return types.contains { $0.count > kind.count && kind.equalsIgnoringCase(lowercase: $0.span.extracting(0..<kind.count)) }
    }

    /// The range of what stands before the parameters.
    private static func type(of element: Span<UInt8>) -> Range<Int> {
        element.trimmed(0..<end(of: 0, in: element, at: 0x3B))
    }

    /// `q=0`: not acceptable (RFC 9110 §12.4.2). A weight that is none refuses too.
    private static func isRefused(_ element: Span<UInt8>) -> Bool {
        var start = end(of: 0, in: element, at: 0x3B) &+ 1
        while start < element.count {
            let end = end(of: start, in: element, at: 0x3B)
            let parameter = element.extracting(element.trimmed(start..<end))
            start = end &+ 1
            guard parameter.count >= 2, parameter[0].lowercasedASCII == 0x71, parameter[1] == 0x3D else { continue }
            for index in 2..<max(parameter.count, 2) where (0x31...0x39).contains(parameter[index]) { return false }
            return true
        }
        return false
    }

    /// Where the part that begins at `start` ends, quoted text passed over.
    private static func end(of start: Int, in value: Span<UInt8>, at separator: UInt8) -> Int {
        var index = start
        var isQuoted = false
        while index < value.count {
            let byte = value[index]
            if byte == 0x22 { isQuoted.toggle() }
            if byte == 0x5C, isQuoted { index &+= 1 }
            if byte == separator, !isQuoted { return index }
            index &+= 1
        }
        return value.count
    }
}
