import Core

/// The plain form of a keys file's line, read in one pass without allocation: one flat object with one digest, strings
/// of printable ASCII without escapes, no member twice.
///
/// `read` says whether the line has that form, never that it is wrong: everything else is left to the strict reader.
/// The lists are not looked into; their spelling is kept in `lists`, and a line is accepted only when the strict reader
/// has accepted the same spelling before.
struct KeysFileLine {
    private enum Member: UInt16 {
        case id = 1
        case digest = 2
        case subject = 4
        case scopes = 8
        case addresses = 16
        case notBefore = 32
        case expiresAt = 64
        case limits = 128
        case enabled = 256
    }

    private let digestMember: APIKeyRecordParser.DigestMember
    private(set) var id = 0..<0
    /// Empty when the line names none.
    private(set) var subject = 0..<0
    private(set) var digest = Digest256(0, 0, 0, 0)
    private(set) var notBefore: WallTime?
    private(set) var expiresAt: WallTime?
    private(set) var isEnabled = true
    /// The spelling of scopes, addresses and limits, an escape byte between them.
    private(set) var lists: [UInt8] = []
    private var position = 0

    init(digestMember: APIKeyRecordParser.DigestMember) { self.digestMember = digestMember }

    /// True when the line has the plain form; then the properties hold what it says.
    mutating func read(_ bytes: Span<UInt8>) -> Bool {
        position = 0
        subject = 0..<0
        notBefore = nil
        expiresAt = nil
        isEnabled = true
        var scopes = 0..<0
        var addresses = 0..<0
        var limits = 0..<0
        var seen: UInt16 = 0
        guard take(UInt8(ascii: "{"), bytes) else { return false }
        repeat {
            guard let name = string(bytes), let member = member(named: bytes.extracting(name)),
                seen & member.rawValue == 0, take(UInt8(ascii: ":"), bytes)
            else { return false }
            seen |= member.rawValue
            switch member {
            case .id:
                guard let range = string(bytes) else { return false }
                id = range
            case .subject:
                guard let range = string(bytes), !range.isEmpty else { return false }
                subject = range
            case .digest:
                guard let range = string(bytes), let read = Digest256(hex: bytes.extracting(range)) else {
                    return false
                }
                digest = read
            case .notBefore:
                notBefore = time(bytes)
                if notBefore == nil { return false }
            case .expiresAt:
                expiresAt = time(bytes)
                if expiresAt == nil { return false }
            case .enabled:
                guard let read = truth(bytes) else { return false }
                isEnabled = read
            case .scopes:
                guard let range = list(bytes) else { return false }
                scopes = range
            case .addresses:
                guard let range = list(bytes) else { return false }
                addresses = range
            case .limits:
                guard let range = list(bytes) else { return false }
                limits = range
            }
        } while take(UInt8(ascii: ","), bytes)
        let required = Member.id.rawValue | Member.digest.rawValue
        guard take(UInt8(ascii: "}"), bytes), seen & required == required else { return false }
        skipSpace(bytes)
        guard position == bytes.count, isInBounds else { return false }
        lists.removeAll(keepingCapacity: true)
        lists.append(contentsOf: bytes.extracting(scopes))
        lists.append(0x1B)
        lists.append(contentsOf: bytes.extracting(addresses))
        lists.append(0x1B)
        lists.append(contentsOf: bytes.extracting(limits))
        return true
    }

    private var isInBounds: Bool {
        guard (1...APIKeyBounds.idBytes).contains(id.count), subject.count <= APIKeyBounds.subjectBytes else {
            return false
        }
        guard let notBefore, let expiresAt else { return true }
        return notBefore < expiresAt
    }

    private func member(named name: Span<UInt8>) -> Member? {
        switch name.count {
        case 2: return Self.isExactly("id", name) ? .id : nil
        case 6:
            if Self.isExactly("scopes", name) { return .scopes }
            if Self.isExactly("limits", name) { return .limits }
            return digestMember == .sha256 && Self.isExactly("sha256", name) ? .digest : nil
        case 7:
            if Self.isExactly("subject", name) { return .subject }
            return Self.isExactly("enabled", name) ? .enabled : nil
        case 9: return Self.isExactly("allow_ips", name) ? .addresses : nil
        case 10:
            if Self.isExactly("expires_at", name) { return .expiresAt }
            return Self.isExactly("not_before", name) ? .notBefore : nil
        case 11: return digestMember == .hmacSHA256 && Self.isExactly("hmac_sha256", name) ? .digest : nil
        default: return nil
        }
    }

    /// Equal to a literal in lower case, byte for byte.
    private static func isExactly(_ literal: StaticString, _ name: Span<UInt8>) -> Bool {
        for index in name.indices where name[index] != name[index].lowercasedASCII { return false }
        return name.equalsIgnoringCase(literal)
    }

    // MARK: Values

    /// The inside of a string of printable ASCII without escapes.
    private mutating func string(_ bytes: Span<UInt8>) -> Range<Int>? {
        guard take(UInt8(ascii: "\""), bytes) else { return nil }
        let start = position
        while position < bytes.count {
            let byte = bytes[position]
            position &+= 1
            if byte == UInt8(ascii: "\"") { return start..<position &- 1 }
            if byte < 0x20 || byte > 0x7E || byte == UInt8(ascii: "\\") { return nil }
        }
        return nil
    }

    private mutating func time(_ bytes: Span<UInt8>) -> WallTime? {
        guard let range = string(bytes) else { return nil }
        return WallTime(rfc3339: bytes.extracting(range))
    }

    private mutating func truth(_ bytes: Span<UInt8>) -> Bool? {
        skipSpace(bytes)
        let rest = bytes.extracting(position..<bytes.count)
        if rest.count >= 4, Self.isExactly("true", rest.extracting(0..<4)) {
            position &+= 4
            return true
        }
        if rest.count >= 5, Self.isExactly("false", rest.extracting(0..<5)) {
            position &+= 5
            return false
        }
        return nil
    }

    /// A list with its brackets, up to the first "]" outside a string.
    private mutating func list(_ bytes: Span<UInt8>) -> Range<Int>? {
        guard take(UInt8(ascii: "["), bytes) else { return nil }
        let start = position &- 1
        var isInString = false
        while position < bytes.count {
            let byte = bytes[position]
            position &+= 1
            if byte < 0x20 || byte > 0x7E || byte == UInt8(ascii: "\\") { return nil }
            if byte == UInt8(ascii: "\"") { isInString.toggle() }
            if byte == UInt8(ascii: "]") && !isInString { return start..<position }
        }
        return nil
    }

    private mutating func take(_ byte: UInt8, _ bytes: Span<UInt8>) -> Bool {
        skipSpace(bytes)
        guard position < bytes.count, bytes[position] == byte else { return false }
        position &+= 1
        return true
    }

    private mutating func skipSpace(_ bytes: Span<UInt8>) {
        while position < bytes.count, bytes[position].isOptionalWhitespace || bytes[position] == UInt8(ascii: "\r") {
            position &+= 1
        }
    }
}
