import Core

extension JSONNode {
    /// A JSON Pointer to the first place where this value is another one, `""` for the whole; nil where both are the same. The
    /// order of members does not count; numbers are compared as they are written.
    func difference(from other: JSONNode) -> String? {
        switch (value, other.value) {
        case (.object(let members), .object(let others)):
            for member in members {
                guard let node = other[member.name] else { return "/" + Self.escaped(member.name) }
                if let place = member.node.difference(from: node) { return "/" + Self.escaped(member.name) + place }
            }
            return others.first { self[$0.name] == nil }.map { "/" + Self.escaped($0.name) }
        case (.array(let elements), .array(let others)):
            for (index, (element, other)) in zip(elements, others).enumerated() {
                if let place = element.difference(from: other) { return "/\(index)" + place }
            }
            return elements.count == others.count ? nil : "/\(min(elements.count, others.count))"
        case (.null, .null): return nil
        case (.bool(let value), .bool(let other)): return value == other ? nil : ""
        case (.number(let value), .number(let other)): return value.text == other.text ? nil : ""
        case (.string(let value), .string(let other)): return value == other ? nil : ""
        case (.object, _), (.array, _), (.null, _), (.bool, _), (.number, _), (.string, _): return ""
        }
    }

    private static func escaped(_ name: String) -> String { name.replacing("~", with: "~0").replacing("/", with: "~1") }
}
