import Core

/// Compares the texts of two policies and says in words what is different. Both are taken to be valid: what a member
/// means does not depend on its place among the others, and the order of routes decides nothing.
package struct PolicyComparison {
    private let old: ComparedDocument
    private let new: ComparedDocument
    private var changes: [PolicyChange] = []

    private init(_ old: PolicyDocument, _ new: PolicyDocument) {
        self.old = ComparedDocument(old)
        self.new = ComparedDocument(new)
    }

    /// The changes, in the order of the old policy's members and then of the new one's.
    package static func changes(from old: PolicyDocument, to new: PolicyDocument) -> [PolicyChange] {
        var comparison = PolicyComparison(old, new)
        let (first, second) = (comparison.old, comparison.new)
        let top = Place(
            subject: "policy", old: ComparedDocument.Spot(file: first.file, path: ""),
            new: ComparedDocument.Spot(file: second.file, path: ""))
        comparison.compareMembers(first.root, second.root, top)
        return comparison.changes
    }

    /// Where the comparison is: whose change it is, and which of its members.
    private struct Place {
        var subject: String
        /// Members below the subject, joined by dots; empty for the subject itself.
        var member = ""
        /// Where it is in each of the two.
        var old: ComparedDocument.Spot
        var new: ComparedDocument.Spot
        /// It is a JWK.
        var isKey = false

        func below(_ name: String) -> Place {
            Place(
                subject: subject, member: member.isEmpty ? name : "\(member).\(name)", old: old.below(name), new: new.below(name))
        }

        /// The same place as a subject of its own.
        func named(_ subject: String) -> Place { Place(subject: subject, old: old, new: new) }

        var isTop: Bool { new.path.isEmpty }
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
        let isTop = place.isTop
        switch (a.value, b.value) {
        case (.object, .object):
            if isTop, let noun = Self.nouns[name] { return compareEntries(a, b, noun: noun, place.below(name)) }
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
    private mutating func compareEntries(_ a: JSONNode, _ b: JSONNode, noun: String, _ map: Place) {
        guard case .object(let before) = a.value, case .object(let after) = b.value else { return }
        for entry in before {
            let place = map.below(entry.name).named("\(noun) \(entry.name)")
            if let other = b[entry.name] {
                compareMembers(entry.node, other, place)
            } else {
                append(.removed, place.subject, "is gone", entry.node.position, place.old)
            }
        }
        for entry in after where a[entry.name] == nil {
            let place = map.below(entry.name).named("\(noun) \(entry.name)")
            append(.added, place.subject, "is new: \(ValueText.text(entry.node))", entry.node.position, place.new)
        }
    }

    /// Elements of a list by what tells them apart, those of one name in their order.
    private mutating func compareElements(
        _ before: [JSONNode], _ after: [JSONNode], noun: String, by member: String, _ place: Place
    ) {
        let owner = noun == "key" ? "\(place.subject), " : ""
        let (first, second) = (Self.names(of: before, by: member), Self.names(of: after, by: member))
        let places = Dictionary(uniqueKeysWithValues: zip(second, after.indices))
        for (index, name) in first.enumerated() {
            var here = place.named("\(owner)\(noun) \(name.text)")
            here.old = old.spot(of: index, in: place.old)
            guard let other = places[name] else {
                append(.removed, here.subject, "is gone", before[index].position, here.old)
                continue
            }
            here.new = new.spot(of: other, in: place.new)
            compareMembers(before[index], after[other], here)
        }
        let known = Set(first)
        for (index, name) in second.enumerated() where !known.contains(name) {
            let text = "is new: \(ValueText.text(after[index]))"
            append(.added, "\(owner)\(noun) \(name.text)", text, after[index].position, new.spot(of: index, in: place.new))
        }
    }

    /// What an element is found by: its name, and how many of the name come before it.
    private struct ElementName: Hashable {
        var text: String
        var occurrence: Int
    }

    private static func names(of elements: [JSONNode], by member: String) -> [ElementName] {
        var counts: [String: Int] = [:]
        return elements.map { element in
            // Without a name an element is what it says.
            let text = element[member].flatMap(ValueText.string) ?? ValueText.text(element)
            let occurrence = counts[text, default: 0]
            counts[text] = occurrence + 1
            return ElementName(text: text, occurrence: occurrence)
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
            append(
                .changed, here.subject, "\(here.member) has another order: \(ValueText.list(after))", position, here.new)
        }
        if !come.isEmpty { append(.changed, here.subject, phrase.come(ValueText.list(come)), position, here.new) }
        if !gone.isEmpty { append(.changed, here.subject, phrase.gone(ValueText.list(gone)), position, here.new) }
    }

    private mutating func note(_ kind: PolicyChange.Kind, _ a: JSONNode?, _ b: JSONNode?, named name: String, _ place: Place) {
        if place.isTop, let noun = Self.nouns[name] {
            // A map or list that is there as a whole in one of the two only: its entries one by one.
            let nothing = JSONNode((a ?? b)?.isList == true ? .array([]) : .object([]), at: SourcePosition(line: 1, column: 1))
            _ = noun
            return compare(a ?? nothing, b ?? nothing, named: name, place)
        }
        let here = place.below(name)
        guard let node = b ?? a else { return }
        if ValueText.isUnreadable(name, isKey: place.isKey) {
            return append(kind, here.subject, "has another secret", node.position, b == nil ? here.old : here.new)
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
        append(.changed, here.subject, text, node.position, b == nil ? here.old : here.new)
    }

    private mutating func append(
        _ kind: PolicyChange.Kind, _ subject: String, _ text: String, _ position: SourcePosition, _ spot: ComparedDocument.Spot
    ) {
        changes.append(
            PolicyChange(
                kind: kind, subject: subject, text: text,
                rule: RuleReference(file: spot.file, path: spot.path, position: position)))
    }
}
