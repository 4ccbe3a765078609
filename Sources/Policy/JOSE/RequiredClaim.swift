import Core

/// A claim that has to be there, with a certain value or with any.
struct RequiredClaim: Sendable {
    let pointer: JSONPointer
    /// Nil for any value but null and a blank text.
    let value: String?

    /// Strings are compared exactly, numbers as they are written, booleans as "true" and "false". An array meets the
    /// requirement when one of its elements does; objects and null never equal a value.
    func isMet(by claims: JSONNode) -> Bool {
        guard let node = pointer.resolve(in: claims) else { return false }
        if case .null = node.value { return false }
        guard let value else {
            if case .string(let text) = node.value { return !text.isBlank }
            return true
        }
        if case .array(let elements) = node.value { return elements.contains { Self.equals($0, value) } }
        return Self.equals(node, value)
    }

    private static func equals(_ node: JSONNode, _ value: String) -> Bool {
        switch node.value {
        case .string(let text): text.isExactly(value) && !text.hasReplacement
        case .number(let number): number.text.isExactly(value)
        case .bool(let flag): value.isExactly(flag ? "true" : "false")
        case .null, .array, .object: false
        }
    }
}
