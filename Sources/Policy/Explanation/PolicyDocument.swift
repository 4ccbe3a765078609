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
    /// What routes inherit.
    let defaults: RouteDefaults
    /// Nil where the tests of `tests_file` are not asked for, and where there are none.
    let tests: TestsDocument?

    /// Nil when the text is not JSON.
    /// - Parameter tests: what the policy's `tests_file` is.
    package init?(_ text: Span<UInt8>, file: String, tests: TestsDocument? = nil) {
        guard let root = try? JSONNode.parse(text, dialect: .policy) else { return nil }
        self.root = root
        self.file = file
        self.tests = tests
        defaults = RouteDefaults(root)
    }

    /// Path of the file of tests as the policy names it; nil where it names none.
    package var testsFile: String? { root["tests_file"].flatMap(ValueText.string) }

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
        let (node, path, _) = walk(components)
        return RuleReference(file: file, path: path, position: node.position)
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
        let (node, _, isWhole) = walk(components)
        return isWhole ? node : nil
    }

    /// Follows a path as far as it is written. What a route inherits is found where `defaults` has it.
    private func walk(_ components: [Component]) -> (node: JSONNode, path: String, isWhole: Bool) {
        var node = root
        var path = ""
        for (depth, component) in components.enumerated() {
            switch component {
            case .member(let name):
                if depth == 2, case .member("routes") = components[0] {
                    let route = defaults.effective(node)
                    guard let next = route.node[name] else { return (node, path, false) }
                    path = route.path(of: name, at: path)
                    node = next
                    continue
                }
                guard let next = node[name] else { return (node, path, false) }
                node = next
                path = LocatedNode.path(path, member: name)
            case .element(let index):
                guard case .array(let elements) = node.value, elements.indices.contains(index) else {
                    return (node, path, false)
                }
                node = elements[index]
                path += "[\(index)]"
            }
        }
        return (node, path, true)
    }
}
