import Core

/// Changes of the content of requests.
extension ConfigurationReader {
    /// Objects that a pointer may go through, the last name included.
    private static let pointerDepth = 8

    /// What a `request_body` object says: names are JSON Pointers.
    mutating func contentChanges(_ node: LocatedNode?) -> (set: [HeaderTemplate], removed: [String]) {
        guard let members = object(node, .contentChanges) else { return ([], []) }
        var set: [HeaderTemplate] = []
        var places: [(pointer: String, names: [String])] = []
        for entry in map(members["set"], of: "templates by JSON Pointer") {
            let text = Located(entry.name, at: entry.namePosition, path: entry.node.path)
            guard addPlace(text, to: &places), let member = requestValue(entry) else { continue }
            set.append(member)
        }
        var removed: [String] = []
        for pointer in strings(members["remove"], of: "JSON Pointers") where addPlace(pointer, to: &places) {
            removed.append(pointer.value)
        }
        return (set, removed)
    }

    /// False, after an error was noted, where the pointer leads to no member, or to a place that another one changes too.
    private mutating func addPlace(_ text: Located<String>, to places: inout [(pointer: String, names: [String])]) -> Bool {
        guard TemplateSyntax.isPointer(text.value), let names = JSONPointer(text.value)?.names,
            names.count <= Self.pointerDepth, names.allSatisfy({ (1...128).contains($0.utf8.count) })
        else {
            report(
                .pointerInvalid, at: text.position, path: text.path,
                "not a JSON Pointer to a member of an object: \(quoted(text.value)); write one such as \"/apiKey\"")
            return false
        }
        if let other = places.first(where: { $0.names.starts(with: names) || names.starts(with: $0.names) }) {
            report(
                .membersExclusive, at: text.position, path: text.path,
                "\(quoted(text.value)) and \(quoted(other.pointer)) change the same place")
            return false
        }
        places.append((text.value, names))
        return true
    }

    /// Only content that goes on is changed.
    mutating func checkContentChanges(of route: RouteConfiguration, _ members: ObjectMembers) {
        guard let place = members["request_body"], let action = route.action, !action.isNotFound else { return }
        report(.membersExclusive, at: place, "the route's requests are not forwarded: there is no content to change")
    }

    /// The pattern of the path that goes on.
    mutating func upstreamPath(_ node: LocatedNode?, of route: RouteConfiguration) -> Located<String>? {
        guard let node, let text = string(node, expected: "a path such as \"/v2/**\"") else { return nil }
        if let action = route.action {
            if !action.isNotFound {
                report(.membersExclusive, at: node, "the route's requests are not forwarded: there is no upstream to have a path")
            }
            return nil
        }
        do throws(UpstreamPathPattern.Fault) {
            let pattern = try UpstreamPathPattern(text.value)
            if pattern.tail == .rest, (try? PathPattern(route.path.value))?.tail != .rest, !route.path.value.isEmpty {
                report(
                    .pathPatternInvalid, at: node,
                    "\"/**\" is what \"/**\" of the match took, and the path \(quoted(route.path.value)) has none")
                return nil
            }
        } catch {
            report(.pathPatternInvalid, at: node, error.message)
            return nil
        }
        return text
    }
}
