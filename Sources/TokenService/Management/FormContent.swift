import Core

/// The pairs of a form, nested names read: `jwt_key[algo]=hs256`, `scopes[]=a&scopes[]=b`.
/// The result is what a JSON object of strings would have been.
enum FormContent {
    /// Pairs of one text; more are refused.
    private static let pairLimit = 256
    /// `a[b][c]` has three.
    private static let depthLimit = 3

    /// Why a text is no form.
    enum Fault: Error, Equatable {
        /// Bad percent-encoding, bytes that are not UTF-8, control characters, malformed names.
        case malformed
        /// What stands for one value has several, or has members too.
        case repeated(name: String)

        /// One sentence for the client's developer.
        /// - Parameter text: what was read: "Query" or "Form".
        func message(of text: String) -> String {
            switch self {
            case .malformed: "\(text) is malformed"
            case .repeated(let name): "\(ParameterReader.shown(name)) is given twice"
            }
        }
    }

    /// A value being put together.
    private indirect enum Value {
        case text(String)
        case list([String])
        case members([(name: String, value: Value)])
    }

    static func parse(_ bytes: [UInt8]) throws(Fault) -> [JSONMember] {
        let pairs: [FormPairs.Pair]
        do throws(FormPairs.Malformed) { pairs = try FormPairs.parse(bytes.span, countLimit: pairLimit) } catch {
            throw .malformed
        }
        var root = Value.members([])
        for pair in pairs {
            guard isText(pair.name), isText(pair.value), let path = path(of: pair.name) else { throw .malformed }
            guard insert(pair.value, at: path[...], into: &root) else { throw .repeated(name: pair.name) }
        }
        guard case .members(let members) = root else { return [] }
        return members.map { JSONMember(name: $0.name, namePosition: start, node: node($0.value)) }
    }

    private static let start = SourcePosition(line: 1, column: 1)

    /// Of control characters, a value may have the ends of lines.
    private static func isText(_ text: String) -> Bool { !text.utf8.contains { $0 < 0x20 && $0 != 0x0A && $0 != 0x0D } }

    /// `a[b][]` as ["a", "b", ""]; nil for anything else with brackets in it.
    private static func path(of name: String) -> [String]? {
        let bytes = Array(name.utf8)
        guard let open = bytes.firstIndex(of: 0x5B) else {
            return bytes.isEmpty || bytes.contains(0x5D) ? nil : [name]
        }
        var path = [String(decoding: bytes[..<open], as: UTF8.self)]
        var index = open
        while index < bytes.count {
            guard bytes[index] == 0x5B, let close = bytes[index...].firstIndex(of: 0x5D), path.count < depthLimit else { return nil }
            let part = bytes[(index + 1)..<close]
            // Only the last pair of brackets may be empty: it makes a list.
            guard !part.contains(0x5B), !part.isEmpty || close == bytes.count - 1 else { return nil }
            path.append(String(decoding: part, as: UTF8.self))
            index = close + 1
        }
        return path[0].isEmpty || path[0].contains("]") ? nil : path
    }

    private static func insert(_ text: String, at path: ArraySlice<String>, into value: inout Value) -> Bool {
        guard case .members(var members) = value, let name = path.first else { return false }
        let rest = path.dropFirst()
        let place = members.firstIndex { $0.name == name }
        switch (rest.first, place) {
        case (nil, nil): members.append((name, .text(text)))
        case (nil, .some): return false
        case (.some(""), nil): members.append((name, .list([text])))
        case (.some(""), .some(let place)):
            guard case .list(let list) = members[place].value else { return false }
            members[place].value = .list(list + [text])
        case (.some, nil):
            var inner = Value.members([])
            guard insert(text, at: rest, into: &inner) else { return false }
            members.append((name, inner))
        case (.some, .some(let place)):
            guard insert(text, at: rest, into: &members[place].value) else { return false }
        }
        value = .members(members)
        return true
    }

    private static func node(_ value: Value) -> JSONNode {
        switch value {
        case .text(let text): JSONNode(.string(text), at: start)
        case .list(let texts): JSONNode(.array(texts.map { JSONNode(.string($0), at: start) }), at: start)
        case .members(let members):
            JSONNode(
                .object(members.map { JSONMember(name: $0.name, namePosition: start, node: node($0.value)) }), at: start)
        }
    }
}
