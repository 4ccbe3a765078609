/// Reads one JSON text in one pass, by recursive descent: nesting costs call depth and is bounded for that reason.
struct JSONParser {
    /// Up to this many members a new name is compared with each, which is quicker than hashing them.
    private static let comparedMembers = 12

    private let depthLimit: Int
    private let dialect: JSONDialect
    private var index = 0
    private var line = 1
    /// Offset of the first byte of the line `index` is in. Raw line ends inside strings are refused, so only white
    /// space moves it.
    private var lineStart = 0
    private var unescaped: [UInt8] = []

    init(depthLimit: Int, dialect: JSONDialect) {
        self.dialect = dialect
        self.depthLimit = min(depthLimit, FixedBounds.jsonDepth)
    }

    mutating func parseText(_ bytes: Span<UInt8>) throws(JSONError) -> JSONNode {
        if bytes.count >= 3, bytes[0] == 0xEF, bytes[1] == 0xBB, bytes[2] == 0xBF { throw error(.byteOrderMark, at: 0) }
        skipWhitespace(bytes)
        let node = try readValue(bytes, depth: 0)
        skipWhitespace(bytes)
        if index < bytes.count { throw error(.trailingContent, at: index) }
        return node
    }

    /// Reads the value that begins at `index`, inside of `depth` arrays and objects.
    private mutating func readValue(_ bytes: Span<UInt8>, depth: Int) throws(JSONError) -> JSONNode {
        guard index < bytes.count else { throw error(.unexpectedEnd, at: index) }
        let position = position(at: index)
        let byte = bytes[index]
        switch byte {
        case 0x22: return JSONNode(.string(try readString(bytes)), at: position)
        case 0x7B: return JSONNode(.object(try readMembers(bytes, depth: depth)), at: position)
        case 0x5B: return JSONNode(.array(try readElements(bytes, depth: depth)), at: position)
        case 0x2D, 0x30...0x39: return JSONNode(.number(try readNumber(bytes)), at: position)
        case 0x74:
            try readLiteral("true", bytes)
            return JSONNode(.bool(true), at: position)
        case 0x66:
            try readLiteral("false", bytes)
            return JSONNode(.bool(false), at: position)
        case 0x6E where index &+ 1 >= bytes.count || bytes[index &+ 1] == 0x75:
            try readLiteral("null", bytes)
            return JSONNode(.null, at: position)
        default: throw error(.unexpectedByte(byte, expected: .value), at: index)
        }
    }

    /// Reads an object from its opening brace to its closing one.
    private mutating func readMembers(_ bytes: Span<UInt8>, depth: Int) throws(JSONError) -> [JSONMember] {
        guard try beginContainer(bytes, depth: depth, end: 0x7D) else { return [] }
        var members: [JSONMember] = []
        members.reserveCapacity(8)
        // All names so far, once there are too many to compare one by one.
        var names = Names()
        repeat {
            guard index < bytes.count else { throw error(.unexpectedEnd, at: index) }
            guard bytes[index] == 0x22 else {
                throw error(.unexpectedByte(bytes[index], expected: .memberName), at: index)
            }
            let start = index
            let name = try readString(bytes, isName: true)
            guard admits(name, to: members, &names) else { throw error(.duplicateMember(name), at: start) }
            let namePosition = position(at: start)
            skipWhitespace(bytes)
            guard index < bytes.count else { throw error(.unexpectedEnd, at: index) }
            guard bytes[index] == 0x3A else { throw error(.unexpectedByte(bytes[index], expected: .colon), at: index) }
            index &+= 1
            skipWhitespace(bytes)
            let node = try readValue(bytes, depth: depth &+ 1)
            members.append(JSONMember(name: name, namePosition: namePosition, node: node))
        } while try continueContainer(bytes, end: 0x7D, expected: .commaOrBrace)
        return members
    }

    /// Reads an array from its opening bracket to its closing one.
    private mutating func readElements(_ bytes: Span<UInt8>, depth: Int) throws(JSONError) -> [JSONNode] {
        guard try beginContainer(bytes, depth: depth, end: 0x5D) else { return [] }
        var elements: [JSONNode] = []
        repeat {
            elements.append(try readValue(bytes, depth: depth &+ 1))
        } while try continueContainer(bytes, end: 0x5D, expected: .commaOrBracket)
        return elements
    }

    /// Steps over the opening byte of a container. False, with the closing byte stepped over too, when it is empty.
    private mutating func beginContainer(_ bytes: Span<UInt8>, depth: Int, end: UInt8) throws(JSONError) -> Bool {
        guard depth < depthLimit else { throw error(.depthExceeded(limit: depthLimit), at: index) }
        index &+= 1
        skipWhitespace(bytes)
        guard index < bytes.count, bytes[index] == end else { return true }
        index &+= 1
        return false
    }

    /// Steps over what follows a value in a container. True when that is a comma, false when it is the closing byte.
    private mutating func continueContainer(
        _ bytes: Span<UInt8>, end: UInt8, expected: JSONError.Expectation
    ) throws(JSONError) -> Bool {
        skipWhitespace(bytes)
        guard index < bytes.count else { throw error(.unexpectedEnd, at: index) }
        let byte = bytes[index]
        guard byte == 0x2C || byte == end else { throw error(.unexpectedByte(byte, expected: expected), at: index) }
        index &+= 1
        if byte == end { return false }
        skipWhitespace(bytes)
        return true
    }

    /// False when a member of this name is there already.
    private func admits(_ name: String, to members: [JSONMember], _ names: inout Names) -> Bool {
        switch dialect {
        // Names that are equal by code units are canonically equivalent as well.
        case .policy:
            if members.count < Self.comparedMembers { return !members.contains { $0.name == name } }
            if names.canonical.isEmpty { names.canonical = Set(members.lazy.map(\.name)) }
            return names.canonical.insert(name).inserted
        case .strict, .foreign:
            let exact = ExactName(text: name)
            if members.count < Self.comparedMembers {
                for index in members.indices where ExactName(text: members[index].name) == exact { return false }
                return true
            }
            if names.exact.isEmpty { names.exact = Set(members.lazy.map { ExactName(text: $0.name) }) }
            return names.exact.insert(exact).inserted
        }
    }

    /// All names of an object so far, as its dialect compares them.
    private struct Names {
        var canonical: Set<String> = []
        var exact: Set<ExactName> = []
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
    private mutating func readString(_ bytes: Span<UInt8>, isName: Bool = false) throws(JSONError) -> String {
        let start = index &+ 1
        var end = bytes.endOfPlainText(from: start)
        var hasEscape = false
        while true {
            guard end < bytes.count else { throw error(.unexpectedEnd, at: bytes.count) }
            let byte = bytes[end]
            if byte == 0x22 { break }
            if byte < 0x20 { throw error(.controlCharacter(byte), at: end) }
            if byte == 0x5C {
                hasEscape = true
                end &+= 2
            } else {
                end &+= 1
            }
            end = bytes.endOfPlainText(from: end)
        }
        let content = bytes.extracting(start..<end)
        index = end &+ 1
        // Escapes are ASCII, so the content is UTF-8 exactly when what it stands for is.
        let text = try string(of: content, from: start)
        if !hasEscape { return text }
        try unescape(content, from: start, isName: isName)
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
    private mutating func unescape(_ content: Span<UInt8>, from offset: Int, isName: Bool) throws(JSONError) {
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
                position = try unescapeScalar(content, at: position, from: offset, isName: isName)
                continue
            }
            guard let meaning = letter.meaningOfEscape else { throw error(.invalidEscape, at: offset &+ position) }
            unescaped.append(meaning)
            position &+= 2
        }
    }

    /// Writes the scalar of the `\u` escape at `position`, or of the pair of them; returns where the content goes on.
    private mutating func unescapeScalar(
        _ content: Span<UInt8>, at position: Int, from offset: Int, isName: Bool
    ) throws(JSONError) -> Int {
        guard let unit = content.escapedUnit(at: position) else { throw error(.invalidEscape, at: offset &+ position) }
        if let scalar = Unicode.Scalar(unit) {
            unescaped.append(contentsOf: scalar.utf8)
            return position &+ 6
        }
        guard UTF16.isLeadSurrogate(unit), let trail = content.escapedUnit(at: position &+ 6),
            UTF16.isTrailSurrogate(trail),
            let scalar = Unicode.Scalar(0x10000 &+ (UInt32(unit) & 0x3FF) << 10 &+ UInt32(trail) & 0x3FF)
        else {
            guard case .foreign = dialect, !isName else { throw error(.loneSurrogate, at: offset &+ position) }
            unescaped.append(contentsOf: "\u{FFFD}".utf8)
            return position &+ 6
        }
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
