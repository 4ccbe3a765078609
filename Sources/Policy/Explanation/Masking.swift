import Core

/// Keeps credentials out of explanations.
struct Masking {
    static let mask = "…"

    /// Lower-case names of fields, and names of query parameters, whose values are credentials.
    private let fields: Set<String>
    private let parameters: Set<String>

    /// - Parameter configuration: of the route the credentials are of, whose requests may get secrets on their way.
    init(_ credentials: CredentialPlan?, _ configuration: RouteConfiguration? = nil) {
        let headers = configuration?.setRequestHeaders.filter(Self.showsSecret).map(\.name.lowercasedASCII) ?? []
        let added = configuration?.setQueryParameters.filter(Self.showsSecret).map(\.name) ?? []
        fields = Set((credentials?.headerNames ?? []) + headers)
        parameters = Set((credentials?.queryNames ?? []).map { String(decoding: $0, as: UTF8.self) } + added)
    }

    private static func showsSecret(_ value: HeaderTemplate) -> Bool {
        value.secret != nil || TemplateSyntax.showsStoredCredential(value.template.value)
    }

    /// Method and target of a request, with every parameter masked that sounds like a credential.
    static func requestLine(_ head: RequestHead) -> String {
        let method = String(decoding: head.bytes[head.methodRange.range], as: UTF8.self)
        let target = String(decoding: head.bytes[head.target.range], as: UTF8.self)
        let authority = String(decoding: head.bytes[head.authority.range], as: UTF8.self)
        let shown = Self.target(target, Masking(nil))
        return "\(method) \(head.targetForm == .origin ? authority + shown : shown)"
    }

    /// A field's value, masked where it may be a credential; of cookies the names stay.
    static func value(_ value: String, of name: String, _ masking: Masking) -> String {
        let lowered = name.lowercasedASCII
        if lowered == "cookie" {
            return value.split(separator: ";").map { pair in
                pair.split(separator: "=", maxSplits: 1).first.map { "\($0)=\(mask)" } ?? mask
            }.joined(separator: ";")
        }
        if lowered == "authorization" || lowered == "proxy-authorization" {
            let scheme = value.split(separator: " ", maxSplits: 1)
            return scheme.count == 2 ? "\(scheme[0]) \(mask)" : mask
        }
        return masking.fields.contains(lowered) || soundsSecret(lowered) ? mask : value
    }

    /// A target with the values of parameters masked that are, or sound like, credentials.
    static func target(_ target: String, _ masking: Masking) -> String {
        guard let question = target.firstIndex(of: "?") else { return target }
        let pairs = target[target.index(after: question)...].split(separator: "&", omittingEmptySubsequences: false)
        let shown = pairs.map { pair in
            guard let equals = pair.firstIndex(of: "=") else { return String(pair) }
            let name = String(pair[..<equals])
            let isSecret = masking.parameters.contains(name) || soundsSecret(name.lowercasedASCII) || name.contains("%")
            return isSecret ? "\(name)=\(mask)" : String(pair)
        }
        return target[...question] + shown.joined(separator: "&")
    }

    /// A claim, with whatever sounds like a credential in it masked.
    static func claims(_ node: JSONNode, named name: String = "") -> JSONNode {
        if soundsSecret(name.lowercasedASCII) { return JSONNode(.string(mask), at: node.position) }
        switch node.value {
        case .object(let members):
            let shown = members.map { member in
                JSONMember(
                    name: member.name, namePosition: member.namePosition, node: claims(member.node, named: member.name))
            }
            return JSONNode(.object(shown), at: node.position)
        case .array(let elements): return JSONNode(.array(elements.map { claims($0) }), at: node.position)
        case .null, .bool, .number, .string: return node
        }
    }

    /// Names of what is better not shown.
    private static func soundsSecret(_ name: String) -> Bool {
        // What the gateway says of a credential is none.
        if name == "x-auth-credential" { return false }
        let plain = name.filter { $0 != "_" && $0 != "-" }
        return ["secret", "password", "passwd", "token", "apikey", "credential", "authdata", "signature", "sig", "auth"]
            .contains { $0.count < 5 ? plain == $0 : plain.hasSuffix($0) } || plain == "key" || plain.hasSuffix("/key")
    }
}
