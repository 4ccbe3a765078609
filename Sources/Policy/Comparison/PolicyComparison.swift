import Core

/// Compares the texts of two policies and says in words what is different. Both are taken to be valid: what a member
/// means does not depend on its place among the others, and the order of routes decides nothing.
package struct PolicyComparison {
    private let old: PolicyDocument
    private let new: PolicyDocument
    private var changes: [PolicyChange] = []

    private init(_ old: PolicyDocument, _ new: PolicyDocument) {
        self.old = old
        self.new = new
    }

    /// The changes, in the order of the old policy's members and then of the new one's.
    package static func changes(from old: PolicyDocument, to new: PolicyDocument) -> [PolicyChange] {
        var comparison = PolicyComparison(old, new)
        let (before, after) = (ActionInheritance.effective(old.root), ActionInheritance.effective(new.root))
        comparison.compareMembers(before, after, Place(subject: "policy", path: ""))
        return comparison.changes
    }

    /// Where the comparison is: whose change it is, and which of its members.
    private struct Place {
        var subject: String
        /// Members below the subject, joined by dots; empty for the subject itself.
        var member = ""
        var path: String
        /// It is a JWK.
        var isKey = false

        func below(_ name: String) -> Place {
            Place(
                subject: subject, member: member.isEmpty ? name : "\(member).\(name)",
                path: LocatedNode.path(path, member: name))
        }
    }

    /// Maps whose entries the operator names, and lists of objects that have names.
    private static let nouns = [
        "upstreams": "upstream", "key_sets": "key set", "authenticators": "authenticator", "limits": "limit",
        "profiles": "profile", "stored_credentials": "stored credential", "routes": "route", "listeners": "listener", "tests": "test",
    ]
    private static let identifyingMembers = ["routes": "name", "listeners": "address", "tests": "name", "keys": "id"]

    private mutating func compareMembers(_ a: JSONNode, _ b: JSONNode, _ place: Place) {
        guard case .object(let before) = a.value, case .object(let after) = b.value else { return }
        var place = place
        place.isKey = a["kty"] != nil || b["kty"] != nil
        for member in before {
            if let other = b[member.name] {
                compare(member.node, other, named: member.name, place)
            } else {
                note(.removed, member.node, nil, named: member.name, place)
            }
        }
        for member in after where a[member.name] == nil { note(.added, nil, member.node, named: member.name, place) }
    }

    private mutating func compare(_ a: JSONNode, _ b: JSONNode, named name: String, _ place: Place) {
        if a.isSame(as: b) { return }
        let isTop = place.path.isEmpty
        switch (a.value, b.value) {
        case (.object, .object):
            if isTop, let noun = Self.nouns[name] { return compareEntries(a, b, noun: noun, name) }
            compareMembers(a, b, place.below(name))
        case (.array(let before), .array(let after)):
            let noun = isTop ? Self.nouns[name] : name == "keys" ? "key" : nil
            if let noun, var member = Self.identifyingMembers[name] {
                // The keys of a key set are JWKs, which name themselves differently from API keys.
                if before.contains(where: { $0["kty"] != nil }) || after.contains(where: { $0["kty"] != nil }) { member = "kid" }
                return compareElements(before, after, noun: noun, by: member, place.below(name))
            }
            compareLists(before, after, b.position, named: name, place)
        default: note(.changed, a, b, named: name, place)
        }
    }

    /// Entries of a map by their names.
    private mutating func compareEntries(_ a: JSONNode, _ b: JSONNode, noun: String, _ map: String) {
        guard case .object(let before) = a.value, case .object(let after) = b.value else { return }
        for entry in before {
            let place = Place(subject: "\(noun) \(entry.name)", path: LocatedNode.path(map, member: entry.name))
            if let other = b[entry.name] {
                compareMembers(entry.node, other, place)
            } else {
                append(.removed, place, "is gone", entry.node.position, in: old)
            }
        }
        for entry in after where a[entry.name] == nil {
            let place = Place(subject: "\(noun) \(entry.name)", path: LocatedNode.path(map, member: entry.name))
            append(.added, place, "is new: \(ValueText.text(entry.node))", entry.node.position, in: new)
        }
    }

    /// Elements of a list by what tells them apart.
    private mutating func compareElements(
        _ before: [JSONNode], _ after: [JSONNode], noun: String, by member: String, _ place: Place
    ) {
        // Without a name an element is what it says.
        func name(_ node: JSONNode) -> String { node[member].flatMap(ValueText.string) ?? ValueText.text(node) }
        let owner = noun == "key" ? "\(place.subject), " : ""
        for (index, element) in before.enumerated() {
            let here = Place(subject: "\(owner)\(noun) \(name(element))", path: "\(place.path)[\(index)]")
            if let other = after.firstIndex(where: { name($0) == name(element) }) {
                compareMembers(element, after[other], Place(subject: here.subject, path: "\(place.path)[\(other)]"))
            } else {
                append(.removed, here, "is gone", element.position, in: old)
            }
        }
        for (index, element) in after.enumerated() where !before.contains(where: { name($0) == name(element) }) {
            let here = Place(subject: "\(owner)\(noun) \(name(element))", path: "\(place.path)[\(index)]")
            append(.added, here, "is new: \(ValueText.text(element))", element.position, in: new)
        }
    }

    /// Lists of values, whose order means nothing to most readers: what came and what went.
    private mutating func compareLists(
        _ before: [JSONNode], _ after: [JSONNode], _ position: SourcePosition, named name: String, _ place: Place
    ) {
        let gone = before.filter { value in !after.contains { $0.isSame(as: value) } }
        let come = after.filter { value in !before.contains { $0.isSame(as: value) } }
        let here = place.below(name)
        let phrase = ListPhrase(of: here.member)
        if gone.isEmpty, come.isEmpty {
            append(.changed, here, "\(here.member) has another order: \(ValueText.list(after))", position, in: new)
        }
        if !come.isEmpty { append(.changed, here, phrase.come(ValueText.list(come)), position, in: new) }
        if !gone.isEmpty { append(.changed, here, phrase.gone(ValueText.list(gone)), position, in: new) }
    }

    private mutating func note(_ kind: PolicyChange.Kind, _ a: JSONNode?, _ b: JSONNode?, named name: String, _ place: Place) {
        if place.path.isEmpty, let noun = Self.nouns[name] {
            // A map or list that is there as a whole in one of the two only: its entries one by one.
            let nothing = JSONNode((a ?? b)?.isList == true ? .array([]) : .object([]), at: SourcePosition(line: 1, column: 1))
            _ = noun
            return compare(a ?? nothing, b ?? nothing, named: name, place)
        }
        let here = place.below(name)
        guard let node = b ?? a else { return }
        if ValueText.isUnreadable(name, isKey: place.isKey) {
            return append(kind, here, "has another secret", node.position, in: b == nil ? old : new)
        }
        let text: String
        switch (a, b) {
        case (let a?, let b?):
            text = MemberPhrase(of: here.member).changed(from: a, to: b)
        case (nil, let b?):
            if case .array(let elements) = b.value {
                text = ListPhrase(of: here.member).come(ValueText.list(elements))
            } else {
                text = MemberPhrase(of: here.member).come(b)
            }
        case (let a?, nil):
            if case .array(let elements) = a.value {
                text = ListPhrase(of: here.member).gone(ValueText.list(elements))
            } else {
                text = MemberPhrase(of: here.member).gone(a)
            }
        case (nil, nil): return
        }
        append(.changed, here, text, node.position, in: b == nil ? old : new)
    }

    private mutating func append(
        _ kind: PolicyChange.Kind, _ place: Place, _ text: String, _ position: SourcePosition, in document: PolicyDocument
    ) {
        changes.append(
            PolicyChange(
                kind: kind, subject: place.subject, text: text,
                rule: RuleReference(file: document.file, path: place.path, position: position)))
    }
}
