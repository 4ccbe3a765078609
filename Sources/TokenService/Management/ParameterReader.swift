import Core
import Policy

/// Reads the members of a request one by one and collects what is wrong with them, one sentence each. A member that nobody
/// read is wrong too.
struct ParameterReader {
    private struct Entry {
        var name: String
        var node: JSONNode
        /// From a form or a query, where numbers and truth values are spelled, or from JSON that may spell them too.
        var isSpelled: Bool
    }

    /// Members of one object, or of query and content together; no request of ours comes near it.
    static let memberLimit = 100

    private var entries: [Entry] = []
    /// Where each name stands in `entries`.
    private var places: [String: Int] = [:]
    private var known: Set<String> = []
    private(set) var messages: [String] = []
    /// What members are called, by our names; nil where they have these.
    private var aliases: [String: String]?

    init() {}

    /// Reads members by other names from now on. What has none is not there for whoever asks for it.
    mutating func rename(_ aliases: [String: String]?) { self.aliases = aliases }

    /// What a member is called in the request; nil for one that it cannot have.
    private func alias(_ name: String) -> String? {
        if let aliases { aliases[name] } else { name }
    }

    /// The name as sentences begin with it, in the request's own words.
    private func label(_ name: String) -> String { Self.label(alias(name) ?? name) }

    /// Adds the members of a query or of the content. A name that is there already is an error, and so are too many; what is
    /// too much is not looked at.
    mutating func add(_ members: [JSONMember], isSpelled: Bool) {
        guard members.count <= Self.memberLimit - entries.count else {
            complain("Parameters are too many (maximum is \(Self.memberLimit))")
            return
        }
        for member in members {
            if places[member.name] != nil {
                complain("\(Self.shown(member.name)) is given twice")
            } else {
                places[member.name] = entries.count
                entries.append(Entry(name: member.name, node: member.node, isSpelled: isSpelled))
            }
        }
    }

    /// The same of a query.
    mutating func add(query: [UInt8]) throws(ActionRefusal) {
        do throws(FormContent.Fault) { add(try FormContent.parse(query), isSpelled: true) } catch {
            throw ActionRefusal(.parametersInvalid, messages: [error.message(of: "Query")])
        }
    }

    /// The same of a form.
    mutating func add(form: [UInt8]) throws(ActionRefusal) {
        add(try Self.members(ofForm: form), isSpelled: true)
    }

    /// The members of a form, nested names read.
    static func members(ofForm form: [UInt8]) throws(ActionRefusal) -> [JSONMember] {
        do throws(FormContent.Fault) { return try FormContent.parse(form) } catch {
            throw ActionRefusal(.contentMalformed, messages: [error.message(of: "Form")])
        }
    }

    mutating func complain(_ message: String) { messages.append(message) }

    /// The member is there, if only as null.
    func has(_ name: String) -> Bool { alias(name).map { places[$0] != nil } ?? false }

    /// Our names of all members, in their order.
    var names: [String] {
        guard let aliases else { return entries.map(\.name) }
        return entries.map { entry in aliases.first { $0.value == entry.name }?.key ?? entry.name }
    }

    private mutating func take(_ name: String) -> Entry? {
        guard let name = alias(name) else { return nil }
        known.insert(name)
        guard let entry = places[name].map({ entries[$0] }) else { return nil }
        if case .null = entry.node.value { return nil }
        return entry
    }

    /// The members of an object member, to be read by themselves; nil when it is not there.
    mutating func object(_ name: String) -> ParameterReader? {
        guard let entry = take(name) else { return nil }
        guard case .object(let members) = entry.node.value else {
            complain("\(label(name)) is not an object")
            return nil
        }
        var reader = ParameterReader()
        reader.add(members, isSpelled: entry.isSpelled)
        return reader
    }

    /// A string; nil where it is missing, null or empty.
    mutating func text(_ name: String, byteLimit: Int = 255) -> String? {
        guard let entry = take(name) else { return nil }
        guard case .string(let text) = entry.node.value else {
            complain("\(label(name)) is not a string")
            return nil
        }
        guard text.utf8.count <= byteLimit else {
            complain("\(label(name)) is too long (maximum is \(byteLimit) characters)")
            return nil
        }
        guard !text.unicodeScalars.contains(where: { $0.properties.generalCategory == .control }) else {
            complain("\(label(name)) contains a control character")
            return nil
        }
        return text.isEmpty ? nil : text
    }

    /// A string as it is, of any characters; nil where it is missing, null or empty.
    mutating func secretText(_ name: String, byteLimit: Int = .max) -> String? {
        guard let entry = take(name) else { return nil }
        guard case .string(let text) = entry.node.value else {
            complain("\(label(name)) is not a string")
            return nil
        }
        guard text.utf8.count <= byteLimit else {
            complain("\(label(name)) is too long (maximum is \(byteLimit) characters)")
            return nil
        }
        return text.isEmpty ? nil : text
    }

    /// The same, where it must be there.
    mutating func requiredSecretText(_ name: String, byteLimit: Int) -> String? {
        let before = messages.count
        let text = secretText(name, byteLimit: byteLimit)
        if text == nil, messages.count == before { complain("\(label(name)) can't be blank") }
        return text
    }

    /// A string that must be there.
    mutating func requiredText(_ name: String, byteLimit: Int = 255) -> String? {
        let before = messages.count
        let text = text(name, byteLimit: byteLimit)
        if text == nil, messages.count == before { complain("\(label(name)) can't be blank") }
        return text
    }

    /// True or false; where they are spelled 1 or 0 too, as PHP writes them in queries.
    /// - Parameter isBlankFalse: a spelled value of no characters is false, as PHP writes that in texts.
    mutating func boolean(_ name: String, isBlankFalse: Bool = false) -> Bool? {
        guard let entry = take(name) else { return nil }
        switch entry.node.value {
        case .bool(let value): return value
        case .string("") where entry.isSpelled && isBlankFalse: return false
        case .number(let number) where entry.isSpelled && number.integer == 1: return true
        case .number(let number) where entry.isSpelled && number.integer == 0: return false
        case .string("true") where entry.isSpelled, .string("1") where entry.isSpelled: return true
        case .string("false") where entry.isSpelled, .string("0") where entry.isSpelled: return false
        case .string, .null, .number, .array, .object:
            complain("\(label(name)) is not true or false")
            return nil
        }
    }

    mutating func integer(_ name: String, in range: ClosedRange<Int64>) -> Int64? {
        guard let entry = take(name) else { return nil }
        var value: Int64?
        switch entry.node.value {
        case .number(let number): value = number.integer
        case .string(let text) where entry.isSpelled: value = text.utf8.allSatisfy(\.isDigit) ? Int64(text) : nil
        case .string, .null, .bool, .array, .object: value = nil
        }
        guard let value, range.contains(value) else {
            complain("\(label(name)) is not a number from \(range.lowerBound) to \(range.upperBound)")
            return nil
        }
        return value
    }

    /// A duration such as "90d", or whole seconds; up to ten years.
    mutating func duration(_ name: String) -> Nanoseconds? {
        guard let entry = take(name) else { return nil }
        let limit: Nanoseconds = .seconds(3653 * 86_400)
        var value: Nanoseconds?
        switch entry.node.value {
        case .number(let number):
            if let seconds = number.integer, 0...(limit / 1_000_000_000) ~= seconds { value = .seconds(seconds) }
        case .string(let text): value = DurationText.parse(text)
        case .null, .bool, .array, .object: value = nil
        }
        guard let value, 0...limit ~= value else {
            complain("\(label(name)) is not a duration such as 30s, 12h or 90d")
            return nil
        }
        return value
    }

    /// A list of strings, none twice; in a form also one string with commas. Nil where it is missing, empty where it is null.
    mutating func texts(_ name: String, countLimit: Int) -> [String]? {
        guard let entry = take(name) else { return has(name) ? [] : nil }
        var texts: [String] = []
        switch entry.node.value {
        case .array(let nodes):
            for node in nodes {
                guard case .string(let text) = node.value, !text.isEmpty else {
                    complain("\(label(name)) is not a list of strings")
                    return nil
                }
                texts.append(text)
            }
        case .string(let text) where entry.isSpelled:
            texts = text.isEmpty ? [] : text.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
        case .string, .null, .bool, .number, .object:
            complain("\(label(name)) is not a list of strings")
            return nil
        }
        guard texts.count <= countLimit, Set(texts).count == texts.count, !texts.contains("") else {
            complain("\(label(name)) has empty, equal, or more than \(countLimit) entries")
            return nil
        }
        return texts
    }

    /// Texts between commas, or a list of strings, in a form also with indices as PHP writes lists (`ips[0]=…&ips[1]=…`);
    /// spaces around a text are not part of it. Empty where nothing is in it, nil where it is missing or null.
    mutating func list(_ name: String) -> [String]? {
        guard let entry = take(name) else { return nil }
        let nodes: [JSONNode]
        switch entry.node.value {
        case .string(let text):
            return text.isEmpty
                ? [] : text.split(separator: ",", omittingEmptySubsequences: false).map { String($0.trimmingSpaces) }
        case .array(let elements): nodes = elements
        case .object(let members) where entry.isSpelled && members.map(\.name) == members.indices.map(String.init):
            nodes = members.map(\.node)
        case .null, .bool, .number, .object:
            complain("\(label(name)) is not a list of strings")
            return nil
        }
        var texts: [String] = []
        for node in nodes {
            guard case .string(let text) = node.value else {
                complain("\(label(name)) is not a list of strings")
                return nil
            }
            texts.append(String(text[...].trimmingSpaces))
        }
        return texts
    }

    /// One of some words; nil where it is missing.
    mutating func choice(_ name: String, among words: [String]) -> String? {
        guard let text = text(name) else { return nil }
        guard words.contains(text) else {
            complain("\(label(name)) is not included in the list")
            return nil
        }
        return text
    }

    /// Complains of members nobody asked for.
    mutating func complainOfUnknown() {
        for entry in entries where !known.contains(entry.name) {
            complain("\(Self.shown(entry.name)) is not a known parameter")
        }
    }

    /// A name that comes from the client and goes back to it: as it is, but cut, and between quotation marks where it could
    /// not be seen otherwise.
    static func shown(_ name: String) -> String {
        let text = String(String.UnicodeScalarView(name.unicodeScalars.prefix(64)))
        return !text.isEmpty && text.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F } ? text : "\"\(text)\""
    }

    /// Refuses when anything was wrong.
    func finish() throws(ActionRefusal) {
        if !messages.isEmpty { throw ActionRefusal(.parametersInvalid, messages: Array(messages.prefix(32))) }
    }

    /// The name as sentences begin with it: "max_results" is "Max results".
    static func label(_ name: String) -> String {
        let words = name.replacing("_", with: " ")
        return words.prefix(1).uppercased() + words.dropFirst()
    }
}

extension Substring {
    /// Without spaces at its ends.
    fileprivate var trimmingSpaces: Substring {
        var text = self
        while text.first == " " { text.removeFirst() }
        while text.last == " " { text.removeLast() }
        return text
    }
}
