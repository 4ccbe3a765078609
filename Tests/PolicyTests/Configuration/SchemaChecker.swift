import Core

/// Enough of JSON Schema 2020-12 to check policy files against the published schema, and strict about the rest: a
/// keyword it does not know is a complaint, so that nothing in the schema goes unchecked unnoticed.
struct SchemaChecker {
    let root: JSONNode
    private static let annotations: Set<String> = ["$schema", "title", "description", "default", "examples", "$defs"]

    /// What is wrong with `instance`, each with its path; empty when it is valid.
    func complaints(_ instance: JSONNode) -> [String] {
        complaints(instance, against: root, path: "")
    }

    private func complaints(_ instance: JSONNode, against schema: JSONNode, path: String) -> [String] {
        guard case .object(let keywords) = schema.value else { return ["\(path): the schema is no object"] }
        var found: [String] = []
        for keyword in keywords where !Self.annotations.contains(keyword.name) {
            found += complaints(instance, keyword, in: schema, path: path)
        }
        return found
    }

    private func complaints(
        _ instance: JSONNode, _ keyword: JSONMember, in schema: JSONNode, path: String
    ) -> [String] {
        let argument = keyword.node
        switch keyword.name {
        case "$ref":
            guard let target = argument.text?.dropFirst(), let node = root.resolve(pointer: String(target)) else {
                return ["\(path): a reference leads nowhere"]
            }
            return complaints(instance, against: node, path: path)
        case "type": return instance.isOf(type: argument.text ?? "") ? [] : ["\(path): no \(argument.text ?? "?")"]
        case "enum": return argument.elements.contains { $0.isEqual(to: instance) } ? [] : ["\(path): no such value"]
        case "const": return argument.isEqual(to: instance) ? [] : ["\(path): another value"]
        case "anyOf", "oneOf":
            let valid = argument.elements.count { complaints(instance, against: $0, path: path).isEmpty }
            let isEnough = keyword.name == "anyOf" ? valid > 0 : valid == 1
            return isEnough ? [] : ["\(path): fits \(valid) of \(keyword.name)"]
        case "allOf": return argument.elements.flatMap { complaints(instance, against: $0, path: path) }
        case "not": return complaints(instance, against: argument, path: path).isEmpty ? ["\(path): not allowed"] : []
        case "items":
            return instance.elements.enumerated().flatMap {
                complaints($1, against: argument, path: "\(path)[\($0)]")
            }
        case "properties":
            return instance.members.flatMap { member in
                argument[member.name].map { complaints(member.node, against: $0, path: "\(path).\(member.name)") } ?? []
            }
        case "additionalProperties":
            return instance.members.filter { schema["properties"]?[$0.name] == nil }.flatMap { member in
                if case .bool(false) = argument.value { return ["\(path).\(member.name): unknown"] }
                return complaints(member.node, against: argument, path: "\(path).\(member.name)")
            }
        case "propertyNames":
            return instance.members.flatMap { member in
                let name = JSONNode(.string(member.name), at: member.namePosition)
                return complaints(name, against: argument, path: "\(path).\(member.name)")
            }
        case "required":
            return argument.elements.compactMap(\.text).filter { name in
                instance.isObject && instance[name] == nil
            }.map { "\(path): \($0) is missing" }
        case "dependentRequired":
            return argument.members.filter { instance[$0.name] != nil }.flatMap { member in
                member.node.elements.compactMap(\.text).filter { instance[$0] == nil }.map {
                    "\(path): \($0) is missing"
                }
            }
        case "uniqueItems":
            let items = instance.elements
            let isTwice = items.indices.contains { index in items[..<index].contains { $0.isEqual(to: items[index]) } }
            return isTwice ? ["\(path): an element twice"] : []
        case "pattern":
            guard let text = instance.text, let pattern = argument.text, let regex = try? Regex(pattern) else {
                return []
            }
            return text.contains(regex) ? [] : ["\(path): \(text) does not fit \(pattern)"]
        case "format": return []
        default: return bound(keyword, instance, path: path)
        }
    }

    private func bound(_ keyword: JSONMember, _ instance: JSONNode, path: String) -> [String] {
        guard let bound = keyword.node.integer else { return ["\(path): unknown keyword \(keyword.name)"] }
        let size: Int64?
        let isLeast: Bool
        switch keyword.name {
        case "minimum", "maximum": (size, isLeast) = (instance.integer, keyword.name == "minimum")
        case "minLength", "maxLength":
            (size, isLeast) = (instance.text.map { Int64($0.unicodeScalars.count) }, keyword.name == "minLength")
        case "minItems", "maxItems": (size, isLeast) = (Int64(instance.elements.count), keyword.name == "minItems")
        case "minProperties", "maxProperties":
            (size, isLeast) = (Int64(instance.members.count), keyword.name == "minProperties")
        default: return ["\(path): unknown keyword \(keyword.name)"]
        }
        guard let size else { return [] }
        return (isLeast ? size >= bound : size <= bound) ? [] : ["\(path): out of \(keyword.name) \(bound)"]
    }
}

extension JSONNode {
    var text: String? { if case .string(let text) = value { text } else { nil } }
    var integer: Int64? { if case .number(let number) = value { number.integer } else { nil } }
    var elements: [JSONNode] { if case .array(let elements) = value { elements } else { [] } }
    var members: [JSONMember] { if case .object(let members) = value { members } else { [] } }
    var isObject: Bool { if case .object = value { true } else { false } }

    func isEqual(to other: JSONNode) -> Bool {
        var (mine, theirs): ([UInt8], [UInt8]) = ([], [])
        mine.append(json: self)
        theirs.append(json: other)
        return mine == theirs
    }

    func isOf(type: String) -> Bool {
        switch value {
        case .null: type == "null"
        case .bool: type == "boolean"
        case .number(let number): type == "number" || (type == "integer" && number.integer != nil)
        case .string: type == "string"
        case .array: type == "array"
        case .object: type == "object"
        }
    }
}
