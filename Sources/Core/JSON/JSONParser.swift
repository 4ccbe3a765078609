/// Reads one JSON text in one pass. Open arrays and objects lie on a stack of its own, so that nesting costs no call depth.
struct JSONParser {
    /// An array or object whose end has not been read yet.
    private struct OpenContainer {
        /// Up to this many members a new name is compared with each, which is quicker than hashing them.
        static let comparedMembers = 12

        let isObject: Bool
        let position: SourcePosition
        var elements: [JSONNode] = []
        var members: [JSONMember] = []
        /// The member whose value is being read.
        var name = ""
        var namePosition: SourcePosition
        /// All names so far, once there are too many to compare one by one.
        var names: Set<String> = []

        init(isObject: Bool, position: SourcePosition) {
            self.isObject = isObject
            self.position = position
            namePosition = position
        }

        /// False when a member of this name is there already.
        mutating func admits(_ name: String) -> Bool {
            if members.count < Self.comparedMembers {
                for index in members.indices where members[index].name == name { return false }
                return true
            }
            if names.isEmpty { names = Set(members.lazy.map(\.name)) }
            return names.insert(name).inserted
        }
    }

    private let depthLimit: Int
    private var index = 0
    private var line = 1
    /// Offset of the first byte of the line `index` is in. Raw line ends inside strings are refused, so only white space
    /// moves it.
    private var lineStart = 0
    private var open: [OpenContainer] = []
    private var unescaped: [UInt8] = []

    init(depthLimit: Int) {
        self.depthLimit = depthLimit
    }

    mutating func parseText(_ bytes: Span<UInt8>) throws(JSONError) -> JSONNode {
        if bytes.count >= 3, bytes[0] == 0xEF, bytes[1] == 0xBB, bytes[2] == 0xBF { throw error(.byteOrderMark, at: 0) }
        while true {
            guard var node = try beginValue(bytes) else { continue }
            while !open.isEmpty, let container = try attach(node, bytes) { node = container }
            if open.isEmpty {
                skipWhitespace(bytes)
                if index < bytes.count { throw error(.trailingContent, at: index) }
                return node
            }
        }
    }

    /// Reads a value, or the opening of a container up to its first value: then there is no node yet.
    private mutating func beginValue(_ bytes: Span<UInt8>) throws(JSONError) -> JSONNode? {
        skipWhitespace(bytes)
        guard index < bytes.count else { throw error(.unexpectedEnd, at: index) }
        let position = position(at: index)
        let byte = bytes[index]
        switch byte {
        case 0x22: return JSONNode(.string(try readString(bytes)), at: position)
        case 0x7B: return try beginObject(bytes, at: position)
        case 0x5B: return try beginArray(bytes, at: position)
        case 0x2D, 0x30...0x39: return JSONNode(.number(try readNumber(bytes)), at: position)
        case 0x74:
            try readLiteral("true", bytes)
            return JSONNode(.bool(true), at: position)
        case 0x66:
            try readLiteral("false", bytes)
            return JSONNode(.bool(false), at: position)
        case 0x6E:
            try readLiteral("null", bytes)
            return JSONNode(.null, at: position)
        default: throw error(.unexpectedByte(byte, expected: .value), at: index)
        }
    }

    private mutating func beginObject(_ bytes: Span<UInt8>, at position: SourcePosition) throws(JSONError) -> JSONNode? {
        guard open.count < depthLimit else { throw error(.depthExceeded(limit: depthLimit), at: index) }
        index &+= 1
        skipWhitespace(bytes)
        if index < bytes.count, bytes[index] == 0x7D {
            index &+= 1
            return JSONNode(.object([]), at: position)
        }
        var container = OpenContainer(isObject: true, position: position)
        container.members.reserveCapacity(8)
        open.append(container)
        try readName(bytes)
        return nil
    }

    private mutating func beginArray(_ bytes: Span<UInt8>, at position: SourcePosition) throws(JSONError) -> JSONNode? {
        guard open.count < depthLimit else { throw error(.depthExceeded(limit: depthLimit), at: index) }
        index &+= 1
        skipWhitespace(bytes)
        if index < bytes.count, bytes[index] == 0x5D {
            index &+= 1
            return JSONNode(.array([]), at: position)
        }
        open.append(OpenContainer(isObject: false, position: position))
        return nil
    }

    /// Puts a finished value into the innermost open container. Returns that container when it ends here, nil when
    /// another value is to follow in it.
    private mutating func attach(_ node: JSONNode, _ bytes: Span<UInt8>) throws(JSONError) -> JSONNode? {
        let innermost = open.count &- 1
        let isObject = open[innermost].isObject
        if isObject {
            let member = JSONMember(
                name: open[innermost].name, namePosition: open[innermost].namePosition, node: node)
            open[innermost].members.append(member)
        } else {
            open[innermost].elements.append(node)
        }
        skipWhitespace(bytes)
        guard index < bytes.count else { throw error(.unexpectedEnd, at: index) }
        let byte = bytes[index]
        if byte == 0x2C {
            index &+= 1
            if isObject {
                skipWhitespace(bytes)
                try readName(bytes)
            }
            return nil
        }
        guard byte == (isObject ? 0x7D : 0x5D) else {
            throw error(.unexpectedByte(byte, expected: isObject ? .commaOrBrace : .commaOrBracket), at: index)
        }
        index &+= 1
        let container = open.removeLast()
        return JSONNode(isObject ? .object(container.members) : .array(container.elements), at: container.position)
    }

    /// Reads a member's name and the colon after it into the innermost open container.
    private mutating func readName(_ bytes: Span<UInt8>) throws(JSONError) {
        guard index < bytes.count else { throw error(.unexpectedEnd, at: index) }
        guard bytes[index] == 0x22 else {
            throw error(.unexpectedByte(bytes[index], expected: .memberName), at: index)
        }
        let start = index
        let name = try readString(bytes)
        let innermost = open.count &- 1
        guard open[innermost].admits(name) else {
            throw error(.duplicateMember(name), at: start)
        }
        open[innermost].name = name
        open[innermost].namePosition = position(at: start)
        skipWhitespace(bytes)
        guard index < bytes.count else { throw error(.unexpectedEnd, at: index) }
        guard bytes[index] == 0x3A else { throw error(.unexpectedByte(bytes[index], expected: .colon), at: index) }
        index &+= 1
    }

    private mutating func readLiteral(_ literal: StaticString, _ bytes: Span<UInt8>) throws(JSONError) {
        let end = index &+ literal.utf8CodeUnitCount
        guard end <= bytes.count else { throw error(.unexpectedEnd, at: bytes.count) }
        guard bytes.extracting(index..<end).equals(literal) else {
            throw error(.unexpectedByte(bytes[index], expected: .value), at: index)
        }
        index = end
    }

    private mutating func readNumber(_ bytes: Span<UInt8>) throws(JSONError) -> JSONNumber {
        let start = index
        if bytes[index] == 0x2D { index &+= 1 }
        if index < bytes.count, bytes[index] == 0x30 {
            index &+= 1
        } else {
            try skipDigits(bytes)
        }
        if index < bytes.count, bytes[index] == 0x2E {
            index &+= 1
            try skipDigits(bytes)
        }
        if index < bytes.count, bytes[index] | 0x20 == 0x65 {
            index &+= 1
            if index < bytes.count, bytes[index] == 0x2B || bytes[index] == 0x2D { index &+= 1 }
            try skipDigits(bytes)
        }
        if index < bytes.count, bytes[index].continuesNumber { throw error(.invalidNumber, at: index) }
        return JSONNumber(validText: try string(of: bytes.extracting(start..<index), from: start))
    }

    /// One digit or more.
    private mutating func skipDigits(_ bytes: Span<UInt8>) throws(JSONError) {
        let start = index
        while index < bytes.count, bytes[index].isDigit { index &+= 1 }
        if index == start { throw error(index < bytes.count ? .invalidNumber : .unexpectedEnd, at: index) }
    }

    /// Reads the string whose opening quotation mark is at `index`.
    private mutating func readString(_ bytes: Span<UInt8>) throws(JSONError) -> String {
        let start = index &+ 1
        var end = start
        var hasEscape = false
        while true {
            guard end < bytes.count else { throw error(.unexpectedEnd, at: bytes.count) }
            let byte = bytes[end]
            if byte == 0x22 { break }
            if byte == 0x5C {
                hasEscape = true
                end &+= 2
            } else {
                if byte < 0x20 { throw error(.controlCharacter(byte), at: end) }
                end &+= 1
            }
        }
        let content = bytes.extracting(start..<end)
        index = end &+ 1
        // Escapes are ASCII, so the content is UTF-8 exactly when what it stands for is.
        let text = try string(of: content, from: start)
        if !hasEscape { return text }
        try unescape(content, from: start)
        return try string(of: unescaped.span, from: start)
    }

    /// The text of bytes that begin at `offset` of the document.
    private func string(of bytes: Span<UInt8>, from offset: Int) throws(JSONError) -> String {
        do throws(UTF8.ValidationError) {
            return String(copying: try UTF8Span(validating: bytes))
        } catch {
            throw self.error(.invalidUTF8, at: offset &+ error.byteOffsets.lowerBound)
        }
    }

    /// Writes what a string's content stands for to `unescaped`.
    private mutating func unescape(_ content: Span<UInt8>, from offset: Int) throws(JSONError) {
        unescaped.removeAll(keepingCapacity: true)
        var position = 0
        while position < content.count {
            let byte = content[position]
            if byte != 0x5C {
                unescaped.append(byte)
                position &+= 1
                continue
            }
            // The scan for the closing quotation mark stepped over pairs, so a byte follows every backslash.
            let letter = content[position &+ 1]
            if letter == 0x75 {
                position = try unescapeScalar(content, at: position, from: offset)
                continue
            }
            guard let meaning = letter.meaningOfEscape else { throw error(.invalidEscape, at: offset &+ position) }
            unescaped.append(meaning)
            position &+= 2
        }
    }

    /// Writes the scalar of the `\u` escape at `position`, or of the pair of them; returns where the content goes on.
    private mutating func unescapeScalar(
        _ content: Span<UInt8>, at position: Int, from offset: Int
    ) throws(JSONError) -> Int {
        guard let unit = content.escapedUnit(at: position) else { throw error(.invalidEscape, at: offset &+ position) }
        if let scalar = Unicode.Scalar(unit) {
            unescaped.append(contentsOf: scalar.utf8)
            return position &+ 6
        }
        guard UTF16.isLeadSurrogate(unit), let trail = content.escapedUnit(at: position &+ 6),
            UTF16.isTrailSurrogate(trail),
            let scalar = Unicode.Scalar(0x10000 &+ (UInt32(unit) & 0x3FF) << 10 &+ UInt32(trail) & 0x3FF)
        else { throw error(.loneSurrogate, at: offset &+ position) }
        unescaped.append(contentsOf: scalar.utf8)
        return position &+ 12
    }

    private mutating func skipWhitespace(_ bytes: Span<UInt8>) {
        while index < bytes.count {
            let byte = bytes[index]
            if byte == 0x0A {
                line &+= 1
                lineStart = index &+ 1
            } else if byte != 0x20 && byte != 0x09 && byte != 0x0D {
                return
            }
            index &+= 1
        }
    }

    private func position(at offset: Int) -> SourcePosition {
        SourcePosition(line: line, column: offset &- lineStart &+ 1)
    }

    private func error(_ reason: JSONError.Reason, at offset: Int) -> JSONError {
        JSONError(reason, at: position(at: offset))
    }
}

extension Span where Element == UInt8 {
    /// The UTF-16 unit of the six bytes `\uXXXX` at `start`; nil when they are not there or not that.
    fileprivate func escapedUnit(at start: Int) -> UInt16? {
        guard start &+ 6 <= count, self[start] == 0x5C, self[start &+ 1] == 0x75 else { return nil }
        var unit: UInt16 = 0
        for index in start &+ 2..<start &+ 6 {
            guard let digit = self[index].hexDigit else { return nil }
            unit = unit << 4 | UInt16(digit)
        }
        return unit
    }
}

extension UInt8 {
    /// What a backslash before this letter means (RFC 8259 §7), `\u` apart.
    fileprivate var meaningOfEscape: UInt8? {
        switch self {
        case 0x22, 0x5C, 0x2F: self
        case 0x62: 0x08
        case 0x66: 0x0C
        case 0x6E: 0x0A
        case 0x72: 0x0D
        case 0x74: 0x09
        default: nil
        }
    }

    /// After a complete number, these are a malformed number rather than a missing comma: "01", "1.2.3", "1e5e".
    fileprivate var continuesNumber: Bool {
        isDigit || self == 0x2E || self == 0x2B || self == 0x2D || self | 0x20 == 0x65
    }
}
