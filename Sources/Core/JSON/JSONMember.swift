/// One name and value of a JSON object.
package struct JSONMember: Sendable {
    package var name: String
    /// Where the quotation mark that opens the name stands.
    package var namePosition: SourcePosition
    package var node: JSONNode

    package init(name: String, namePosition: SourcePosition, node: JSONNode) {
        self.name = name
        self.namePosition = namePosition
        self.node = node
    }

    /// Compares bytes (RFC 8259 §8.3), because Swift's `==` takes U+212A KELVIN SIGN for the letter K. It comes first
    /// for being quick to say no.
    func isNamed(_ other: String) -> Bool {
        name == other && name.utf8.span.equals(other.utf8.span)
    }
}
