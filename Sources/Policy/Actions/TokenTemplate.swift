package import Core

/// A JSON value with placeholders in its strings. A string that is one placeholder and nothing else becomes the value
/// itself, whatever its type; a member or element whose value does not exist is left out. `{{` is a brace.
package indirect enum TokenTemplate: Sendable {
    /// A part of a string that is not one placeholder alone.
    package enum TextPart: Sendable, Equatable {
        case literal(String)
        case value(TokenPlaceholder)
    }

    /// Why a template is refused.
    package enum Fault: Error, Equatable, Sendable {
        case unknownPlaceholder(String)
        /// The value exists only once the token is made.
        case notInClaims(TokenPlaceholder)
    }

    case literal(JSONNode)
    case value(TokenPlaceholder)
    case text([TextPart])
    case array([TokenTemplate])
    case object([Member])

    package struct Member: Sendable {
        package var name: String
        package var value: TokenTemplate

        package init(name: String, value: TokenTemplate) {
            self.name = name
            self.value = value
        }
    }

    /// - Parameter isClaims: of a token's payload, and not of an answer.
    package init(_ node: JSONNode, isClaims: Bool) throws(Fault) {
        switch node.value {
        case .null, .bool, .number: self = .literal(node)
        case .string(let text): self = try Self.string(text, node, isClaims: isClaims)
        case .array(let elements):
            var templates: [TokenTemplate] = []
            for element in elements { templates.append(try TokenTemplate(element, isClaims: isClaims)) }
            self = .array(templates)
        case .object(let members):
            var templates: [Member] = []
            for member in members {
                templates.append(Member(name: member.name, value: try TokenTemplate(member.node, isClaims: isClaims)))
            }
            self = .object(templates)
        }
    }

    private static func string(_ text: String, _ node: JSONNode, isClaims: Bool) throws(Fault) -> TokenTemplate {
        let parts = try parts(of: text)
        for case .value(let placeholder) in parts where isClaims && placeholder.belongsToAnswer {
            throw .notInClaims(placeholder)
        }
        if parts.isEmpty { return .literal(node) }
        guard parts.count == 1 else { return .text(parts) }
        switch parts[0] {
        case .literal(let text): return .literal(JSONNode(.string(text), at: node.position))
        case .value(let placeholder): return .value(placeholder)
        }
    }

    private static func parts(of text: String) throws(Fault) -> [TextPart] {
        var parts: [TextPart] = []
        var literal = ""
        var rest = Substring(text).unicodeScalars
        while let scalar = rest.popFirst() {
            guard scalar == "{" else {
                literal.unicodeScalars.append(scalar)
                continue
            }
            if rest.first == "{" {
                rest.removeFirst()
                literal.unicodeScalars.append("{")
                continue
            }
            guard let end = rest.firstIndex(of: "}") else { throw .unknownPlaceholder(String(Substring(rest))) }
            let name = String(Substring(rest[..<end]))
            guard let placeholder = TokenPlaceholder(rawValue: name) else { throw .unknownPlaceholder(name) }
            if !literal.isEmpty { parts.append(.literal(literal)) }
            literal = ""
            parts.append(.value(placeholder))
            rest = rest[rest.index(after: end)...]
        }
        if !literal.isEmpty { parts.append(.literal(literal)) }
        return parts
    }

    // MARK: Filling

    /// The template with its values in their places; nil where the whole of it does not exist.
    package func filled(_ value: (TokenPlaceholder) -> JSONValue?) -> JSONNode? {
        switch self {
        case .literal(let node): return node
        case .value(let placeholder): return value(placeholder).map(Self.node)
        case .text(let parts): return Self.text(parts, value).map { Self.node(.string($0)) }
        case .array(let elements): return Self.node(.array(elements.compactMap { $0.filled(value) }))
        case .object(let members):
            return Self.node(
                .object(
                    members.compactMap { member in
                        member.value.filled(value).map {
                            JSONMember(name: member.name, namePosition: Self.nowhere, node: $0)
                        }
                    }))
        }
    }

    private static let nowhere = SourcePosition(line: 0, column: 0)

    private static func node(_ value: JSONValue) -> JSONNode { JSONNode(value, at: nowhere) }

    /// Nil when one of the values does not exist.
    private static func text(_ parts: [TextPart], _ value: (TokenPlaceholder) -> JSONValue?) -> String? {
        var text = ""
        for part in parts {
            switch part {
            case .literal(let literal): text += literal
            case .value(let placeholder):
                guard let value = value(placeholder) else { return nil }
                switch value {
                case .string(let string): text += string
                case .number(let number): text += number.text
                case .bool(let bool): text += bool ? "true" : "false"
                case .null, .array, .object:
                    var json: [UInt8] = []
                    json.append(json: node(value))
                    text += String(decoding: json, as: UTF8.self)
                }
            }
        }
        return text
    }

    // MARK: Looking

    /// The placeholder stands somewhere in the template.
    package func mentions(_ placeholder: TokenPlaceholder) -> Bool {
        switch self {
        case .literal: false
        case .value(let found): found == placeholder
        case .text(let parts): parts.contains(.value(placeholder))
        case .array(let elements): elements.contains { $0.mentions(placeholder) }
        case .object(let members): members.contains { $0.value.mentions(placeholder) }
        }
    }

    /// The names of the members that lead to a placeholder standing by itself; nil when it does not stand in the template.
    package func path(of placeholder: TokenPlaceholder) -> [String]? {
        switch self {
        case .value(let found): return found == placeholder ? [] : nil
        case .object(let members):
            for member in members {
                if let rest = member.value.path(of: placeholder) { return [member.name] + rest }
            }
            return nil
        case .literal, .text, .array: return nil
        }
    }
}
