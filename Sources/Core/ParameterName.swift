/// The name of a query or form parameter, of a JSON member or of a cookie, and every spelling of it that some parser in use
/// reads as the same name.
///
/// Frameworks do not agree on names. ASP.NET and Go compare without case; PHP makes "_" of ".", " " and "[", cuts leading
/// spaces, and ends a name at NUL; Rack, qs and PHP read `name[]` and `name[x]` as lists and objects of `name`, Rack and qs
/// `[name]` too; qs and Spring read `name.x` as a member of `name`; protobuf takes `userId` for `user_id`; IIS decodes
/// `%u0075`, careless proxies decode twice, lenient decoders take overlong UTF-8 and skip what is not UTF-8.
package struct ParameterName: Sendable, Equatable {
    /// How often an escape may have been escaped: `%2575` is `u` after two decodings.
    private static let decodingLimit = 3

    /// The name as the policy writes it.
    package let bytes: [UInt8]
    /// Its scalars, folded, without those that are skipped in comparisons.
    private let folded: [UInt32]

    package init(_ bytes: [UInt8]) {
        self.bytes = bytes
        var folded: [UInt32] = []
        var index = 0
        while index < bytes.count {
            let (scalar, length) = LenientScalar.decode(bytes.span, at: index)
            index &+= length
            if !LenientScalar.isSkipped(scalar) { folded.append(LenientScalar.folded(scalar)) }
        }
        self.folded = folded
    }

    package init(_ name: String) { self.init(Array(name.utf8)) }

    /// Some parser could read `raw`, the name of a query or form parameter as it was sent, as this name. Linear in `raw`;
    /// allocates only where something is escaped.
    package func isReadable(inEscaped raw: Span<UInt8>) -> Bool { isReadable(inEscaped: raw, nested: false) }

    /// The same, of this name and of names that nest it: `user[realm_id]`, `user[][realm_id]`, `user.realm_id`.
    package func isReadable(withinEscaped raw: Span<UInt8>) -> Bool { isReadable(inEscaped: raw, nested: true) }

    private func isReadable(inEscaped raw: Span<UInt8>, nested: Bool) -> Bool {
        if nested ? isReadable(within: raw) : isReadable(in: raw) { return true }
        guard raw.firstIndex(of: 0x25) != nil || raw.firstIndex(of: 0x2B) != nil else { return false }
        var decoded = raw.copied()
        for _ in 0..<Self.decodingLimit {
            let text = decoded
            decoded.removeAll(keepingCapacity: true)
            LenientScalar.unescape(text.span, into: &decoded)
            if nested ? isReadable(within: decoded.span) : isReadable(in: decoded.span) { return true }
            guard decoded.count < text.count else { return false }
        }
        return false
    }

    /// The same of a name that holds no escapes, such as a JSON member's. Every part behind a "&" or ";" counts: what is
    /// decoded before it is split has parameters there.
    package func isReadable(in text: Span<UInt8>) -> Bool {
        var start = 0
        while true {
            if isReadable(in: text, from: start) { return true }
            while start < text.count, text[start] != 0x26, text[start] != 0x3B { start &+= 1 }
            if start == text.count { return false }
            start &+= 1
        }
    }

    /// The same of a name that holds no escapes, and of names that nest it. Linear in `text`: an attempt begins only where a
    /// part of the name can, and ends at the first scalar that differs.
    package func isReadable(within text: Span<UInt8>) -> Bool {
        if isReadable(in: text) { return true }
        var isStart = false
        var index = 0
        while index < text.count {
            let (scalar, length) = LenientScalar.decode(text, at: index)
            if Self.beginsPart(scalar) {
                isStart = true
            } else if isStart, !LenientScalar.isSkipped(scalar), !Self.isSkippedInFront(scalar) {
                isStart = false
                if isReadable(in: text, from: index) { return true }
            }
            index &+= length
        }
        return false
    }

    /// Where this name is written exactly in the unescaped name of a query or form parameter; nil where it is not.
    package func place(in name: Span<UInt8>) -> Place? {
        if name.equals(bytes.span) { return .top }
        let start = name.count &- bytes.count &- 2
        guard start > 0, name[start] == 0x5B, name[name.count &- 1] == 0x5D,
            name.extracting(start &+ 1..<name.count &- 1).equals(bytes.span)
        else { return nil }
        let parents = name.extracting(0..<start)
        guard !isReadable(within: parents) else { return nil }
        var index = parents.firstIndex(of: 0x5B) ?? start
        // What some parser takes for a separator is in no part.
        guard index > 0, Self.isPlain(parents.extracting(0..<index)) else { return nil }
        if index == start { return .resource }
        var isElement = false
        while index < start {
            guard parents[index] == 0x5B, let end = parents.firstIndex(of: 0x5D, from: index) else { return nil }
            let part = parents.extracting(index &+ 1..<end)
            guard Self.isPlain(part) else { return nil }
            if part.isEmpty { isElement = true }
            index = end &+ 1
        }
        return .deeper(isElement: isElement)
    }

    private static func isPlain(_ part: Span<UInt8>) -> Bool {
        for index in part.indices {
            let byte = part[index]
            guard byte.isDigit || byte.lowercasedASCII &- 0x61 < 26 || byte == 0x5F || byte == 0x2D else { return false }
        }
        return true
    }

    /// How deep a parameter is in the objects that forms and queries spell.
    package enum Place: Equatable {
        /// `realm_id`
        case top
        /// `user[realm_id]`
        case resource
        /// `user[address][realm_id]`; `user[][realm_id]` is of an element of a list.
        case deeper(isElement: Bool)
    }

    private func isReadable(in text: Span<UInt8>, from start: Int) -> Bool {
        // A name of "_" alone has no other spelling.
        guard !folded.isEmpty else { return text.extracting(start...).equals(bytes.span) }
        var index = start
        var matched = 0
        while matched < folded.count {
            guard index < text.count else { return false }
            let (scalar, length) = LenientScalar.decode(text, at: index)
            if LenientScalar.folded(scalar) == folded[matched] {
                matched &+= 1
            } else if !LenientScalar.isSkipped(scalar), matched > 0 || !Self.isSkippedInFront(scalar) {
                return false
            }
            index &+= length
        }
        while index < text.count {
            let (scalar, length) = LenientScalar.decode(text, at: index)
            if Self.endsName(scalar) { return true }
            guard LenientScalar.isSkipped(scalar) else { return false }
            index &+= length
        }
        return true
    }

    /// Quotation marks, "]" and "?" before a name.
    private static func isSkippedInFront(_ scalar: UInt32) -> Bool {
        scalar == 0x22 || scalar == 0x27 || scalar == 0x5D || scalar == 0x3F
    }

    /// A part of a nested name follows.
    private static func beginsPart(_ scalar: UInt32) -> Bool {
        switch scalar {
        case 0x5B, 0x5D, 0x2E, 0xFF3B, 0xFF3D, 0xFF0E: true
        default: false
        }
    }

    /// What follows is a subscript, a member, or nothing that all parsers see.
    private static func endsName(_ scalar: UInt32) -> Bool {
        switch scalar {
        case 0x00, 0x5B, 0x5D, 0x2E, 0x22, 0x27, 0x3D, 0x26, 0x3B: true
        default: false
        }
    }
}
