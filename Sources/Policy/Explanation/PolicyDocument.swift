import Core

/// The text of a policy as JSON: tells where each of its rules stands.
package struct PolicyDocument: Sendable {
    /// One step down from an object or an array.
    enum Component: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, Sendable {
        case member(String)
        case element(Int)

        init(stringLiteral name: String) { self = .member(name) }
        init(integerLiteral index: Int) { self = .element(index) }
    }

    /// The file as the operator named it.
    package let file: String
    let root: JSONNode

    /// Nil when the text is no JSON.
    package init?(_ text: Span<UInt8>, file: String) {
        guard let root = try? JSONNode.parse(text) else { return nil }
        self.root = root
        self.file = file
    }

    /// The rule a path leads to. Where the path goes on beyond what is written, the last thing that is written on the
    /// way: what is not said there is a default.
    func rule(_ components: Component...) -> RuleReference { rule(at: components) }

    /// A member of a route's `authorize`, whether it is one rule or a list.
    func authorizeRule(_ route: Int, _ rule: RouteConfiguration.Authorization, _ members: Component...) -> RuleReference {
        self.rule(
            at: ["routes", .element(route), "authorize"] + (rule.place.map { [.element($0)] } ?? []) + members)
    }

    /// A member of an entry of a profile.
    func rule(ofProfile name: String, _ entry: ResponseProfileConfiguration.Entry, _ member: String) -> RuleReference {
        rule(at: ["profiles", .member(name)] + entry.path.map(Component.member) + [.member(member)])
    }

    private func rule(at components: [Component]) -> RuleReference {
        var node = root
        var path = ""
        for component in components {
            switch component {
            case .member(let name):
                guard let next = node[name] else { return reference(path, node) }
                node = next
                path = LocatedNode.path(path, member: name)
            case .element(let index):
                guard case .array(let elements) = node.value, elements.indices.contains(index) else {
                    return reference(path, node)
                }
                node = elements[index]
                path += "[\(index)]"
            }
        }
        return reference(path, node)
    }

    /// True when the path leads to something that is written.
    func has(_ components: Component...) -> Bool { node(at: components) != nil }

    /// The place in an array of the first object whose member has this text.
    func index(in components: Component..., where member: String, is text: String) -> Int? {
        guard case .array(let elements) = node(at: components)?.value else { return nil }
        return elements.firstIndex { element in
            guard case .string(let value) = element[member]?.value else { return false }
            return value == text
        }
    }

    /// The member of an API key's record that bounds one of its secrets, where it is written: the secret's own, or that of
    /// all; otherwise the record.
    func keyRule(
        _ record: Int, of authenticator: String, _ digest: Digest256, _ member: String
    ) -> RuleReference {
        let path: [Component] = ["authenticators", .member(authenticator), "keys", .element(record)]
        if case .array(let secrets) = node(at: path + ["secrets"])?.value {
            let index = secrets.firstIndex { secret in
                ["sha256", "hmac_sha256"].contains { name in
                    guard case .string(let text) = secret[name]?.value else { return false }
                    return Digest256(hex: text) == digest
                }
            }
            if let index, secrets[index][member] != nil {
                return rule(at: path + ["secrets", .element(index), .member(member)])
            }
        }
        return rule(at: path + [.member(member)])
    }

    /// The action that a route's action is like; nil where it is like none.
    func base(of kind: String, ofRoute index: Int) -> ActionInheritance.Base? {
        guard case .array(let routes)? = root["routes"]?.value, let action = node(at: ["routes", .element(index), "action", .member(kind)]),
            case .string(let name)? = action[ActionInheritance.member]?.value
        else { return nil }
        return try? ActionInheritance(routes: routes).base(named: name, for: action)
    }

    private func node(at components: [Component]) -> JSONNode? {
        var node = root
        for component in components {
            switch component {
            case .member(let name):
                guard let next = node[name] else { return nil }
                node = next
            case .element(let index):
                guard case .array(let elements) = node.value, elements.indices.contains(index) else { return nil }
                node = elements[index]
            }
        }
        return node
    }

    private func reference(_ path: String, _ node: JSONNode) -> RuleReference {
        RuleReference(file: file, path: path, position: node.position)
    }
}
