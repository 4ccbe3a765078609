import Core

/// How the coming and going of a list's values is said.
struct ListPhrase {
    private let member: String

    init(of member: String) { self.member = member }

    func come(_ values: String) -> String {
        switch member {
        case "authorize.scopes": "now also asks for the scope \(values)"
        case "authenticate": "now also takes credentials of \(values)"
        case "limits": "is now also limited by \(values)"
        case "scopes": "now also has the scope \(values)"
        case "match.methods": "now also takes \(values)"
        case "match.hosts": "now also serves \(values)"
        case "authorize.allow_ips", "allow_ips": "now also lets in the addresses \(values)"
        case "authorize.deny_ips": "now also refuses the addresses \(values)"
        default: "\(member) now also has \(values)"
        }
    }

    func gone(_ values: String) -> String {
        switch member {
        case "authorize.scopes": "no longer asks for the scope \(values)"
        case "authenticate": "no longer takes credentials of \(values)"
        case "limits": "is no longer limited by \(values)"
        case "scopes": "no longer has the scope \(values)"
        case "match.methods": "no longer takes \(values)"
        case "match.hosts": "no longer serves \(values)"
        case "authorize.allow_ips", "allow_ips": "no longer lists the allowed addresses \(values)"
        case "authorize.deny_ips": "no longer refuses the addresses \(values)"
        default: "\(member) no longer has \(values)"
        }
    }
}

/// How the change of a value is said.
struct MemberPhrase {
    private let member: String

    init(of member: String) { self.member = member }

    func changed(from a: JSONNode, to b: JSONNode) -> String {
        let (before, after) = (ValueText.text(a), ValueText.text(b))
        if isShadow(b) { return tried }
        if isShadow(a) { return enforced }
        if member == "authenticate", ValueText.string(b) == "none" { return "is now open to everybody; it asked for \(before)" }
        if member == "authenticate", ValueText.string(a) == "none" { return "now asks for \(after); it was open to everybody" }
        switch member {
        case "upstream": return "now goes to the upstream \(after); it went to \(before)"
        case "match.path": return "now serves \(after); it served \(before)"
        default: return "\(member) is now \(after); it was \(before)"
        }
    }

    func come(_ node: JSONNode) -> String {
        if isShadow(node) { return tried }
        return "\(member) is now \(ValueText.text(node)); it was not set"
    }

    func gone(_ node: JSONNode) -> String {
        if isShadow(node) { return enforced }
        return "\(member) is no longer set; it was \(ValueText.text(node))"
    }

    private var tried: String { "\(owner)is only tried now: what would be refused passes" }

    private var enforced: String { "\(owner)is no longer only tried: what it refuses is refused" }

    private func isShadow(_ node: JSONNode) -> Bool {
        (member == "mode" || member.hasSuffix(".mode")) && ValueText.string(node) == "shadow"
    }

    /// What in the subject has the mode; empty for the subject itself.
    private var owner: String { member.hasSuffix(".mode") ? "\(member.dropLast(5)) " : "" }
}

/// Values as they stand in a sentence.
enum ValueText {
    /// JSON on one line, cut after 200 characters; digests are left out.
    static func text(_ node: JSONNode) -> String {
        var bytes: [UInt8] = []
        bytes.append(json: shown(node))
        let text = String(decoding: bytes, as: UTF8.self)
        return text.count > 200 ? text.prefix(200) + "…" : text
    }

    private static let digests: Set<String> = ["sha256", "hmac_sha256", "secrets"]
    /// RFC 7518 §6.
    private static let keyMaterial: Set<String> = ["k", "n", "e", "x", "y", "d", "p", "q", "dp", "dq", "qi", "oth"]

    /// The member's value is a digest, or the material of a key.
    /// - Parameter isKey: the object is a JWK.
    static func isUnreadable(_ member: String, isKey: Bool) -> Bool {
        digests.contains(member) || isKey && keyMaterial.contains(member)
    }

    static func list(_ nodes: [JSONNode]) -> String { nodes.map(text).joined(separator: ", ") }

    static func string(_ node: JSONNode) -> String? {
        if case .string(let text) = node.value { return text }
        return nil
    }

    private static func shown(_ node: JSONNode) -> JSONNode {
        switch node.value {
        case .object(let members):
            let isKey = members.contains { $0.name == "kty" }
            let kept = members.filter { !isUnreadable($0.name, isKey: isKey) }.map { member in
                JSONMember(name: member.name, namePosition: member.namePosition, node: shown(member.node))
            }
            return JSONNode(.object(kept), at: node.position)
        case .array(let elements): return JSONNode(.array(elements.map(shown)), at: node.position)
        case .null, .bool, .number, .string: return node
        }
    }
}

extension JSONNode {
    var isList: Bool {
        if case .array = value { return true }
        return false
    }

    /// The same value, wherever it stands; members of objects in any order.
    func isSame(as other: JSONNode) -> Bool {
        switch (value, other.value) {
        case (.null, .null): true
        case (.bool(let a), .bool(let b)): a == b
        case (.number(let a), .number(let b)): a.text == b.text
        case (.string(let a), .string(let b)): a.utf8.elementsEqual(b.utf8)
        case (.array(let a), .array(let b)):
            a.count == b.count && zip(a, b).allSatisfy { $0.isSame(as: $1) }
        case (.object(let a), .object(let b)):
            a.count == b.count
                && a.allSatisfy { member in other[member.name].map { member.node.isSame(as: $0) } ?? false }
        case (.null, _), (.bool, _), (.number, _), (.string, _), (.array, _), (.object, _): false
        }
    }
}
