import Core

/// A policy as it is compared: what counts, wherever it is written. Routes and actions have what they inherit among their
/// members, and the tests of both files are one list; `defaults` and `tests_file` themselves are left out.
struct ComparedDocument {
    /// Where a value is.
    struct Spot {
        var file: String
        var path: String
        /// Of a route: the members it inherits.
        var inherited: Set<String> = []

        func below(_ name: String) -> Spot {
            Spot(file: file, path: EffectiveRoute(node: nowhere, inherited: inherited).path(of: name, at: path))
        }
    }

    let file: String
    let root: JSONNode
    /// Where the elements of `routes` and `tests` are, by the name of the list.
    private let elements: [String: [Spot]]

    init(_ document: PolicyDocument) {
        file = document.file
        var members: [JSONMember] = []
        if case .object(let all) = ActionInheritance.effective(document.root).value {
            members = all.filter { ![RouteDefaults.member, "tests_file", "tests"].contains($0.name) }
        }
        var elements: [String: [Spot]] = [:]
        if let index = members.firstIndex(where: { $0.name == "routes" }), case .array(let routes) = members[index].node.value {
            let effective = routes.map(document.defaults.effective)
            members[index].node.value = .array(effective.map(\.node))
            elements["routes"] = effective.enumerated().map {
                Spot(file: document.file, path: "routes[\($0)]", inherited: $1.inherited)
            }
        }
        var tests: [JSONNode] = []
        if case .array(let own)? = document.root["tests"]?.value { tests = own }
        elements["tests"] = tests.indices.map { Spot(file: document.file, path: "tests[\($0)]") }
        if let file = document.tests {
            tests += file.tests.map(\.node)
            elements["tests"]? += file.tests.map { Spot(file: file.file, path: $0.path) }
        }
        if !tests.isEmpty {
            members.append(JSONMember(name: "tests", namePosition: nowhere.position, node: JSONNode(.array(tests), at: nowhere.position)))
        }
        root = JSONNode(.object(members), at: document.root.position)
        self.elements = elements
    }

    /// Where an element of a list is.
    func spot(of index: Int, in list: Spot) -> Spot {
        elements[list.path]?[index] ?? Spot(file: list.file, path: "\(list.path)[\(index)]")
    }
}

/// For what is in no file.
private let nowhere = JSONNode(.null, at: SourcePosition(line: 1, column: 1))
