/// A JSON value (RFC 8259) together with the place of its first byte in the text it was read from.
package struct JSONNode: Sendable {
    package var value: JSONValue
    package var position: SourcePosition

    package init(_ value: JSONValue, at position: SourcePosition) {
        self.value = value
        self.position = position
    }

    /// The member of an object with exactly this name, byte for byte; nil in anything that is not an object.
    /// Linear in the number of members.
    package subscript(name: String) -> JSONNode? {
        guard case .object(let members) = value else { return nil }
        for index in members.indices where members[index].isNamed(name) { return members[index].node }
        return nil
    }

    /// The node an RFC 6901 pointer leads to; nil when there is none or the pointer is malformed. Where one pointer is
    /// followed many times, make a `JSONPointer` of it once.
    package func resolve(pointer: String) -> JSONNode? {
        JSONPointer(pointer)?.resolve(in: self)
    }

    /// It is `null`, which most documents mean as "absent".
    package var isNull: Bool {
        if case .null = value { true } else { false }
    }

    /// Reads one JSON text (RFC 8259), strictly: UTF-8 without byte order mark, no doubled members, nothing after the value; the rest
    /// is up to the dialect. Member names are compared after unescaping. One pass; the time is linear in the text.
    /// - Parameters:
    ///   - depthLimit: how many arrays and objects may be open at once, at most `FixedBounds.jsonDepth`.
    ///   - byteLimit: a longer text is refused unread.
    package static func parse(
        _ bytes: Span<UInt8>, depthLimit: Int = FixedBounds.jsonDepth, byteLimit: Int = .max,
        dialect: JSONDialect = .strict
    ) throws(JSONError) -> JSONNode {
        guard bytes.count <= byteLimit else {
            throw JSONError(.tooLarge, at: SourcePosition(line: 1, column: 1))
        }
        var parser = JSONParser(depthLimit: depthLimit, dialect: dialect)
        return try parser.parseText(bytes)
    }
}
