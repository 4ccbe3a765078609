import Core

/// Keeps credentials out of what is said of requests under a policy.
struct Masking {
    static let mask = "…"

    /// Lower-case names of fields, and names of query parameters and cookies, whose values are credentials.
    private let fields: Set<String>
    private let parameters: Set<String>
    private let cookies: Set<String>

    /// `upstream_path` of routes where it shows a credential, by their places.
    private let secretPaths: [Int: String]
    /// Where claims hold credentials, as names from the top.
    private let claimPaths: [[String]]

    /// Of every route: what one of them takes for a credential is shown for none.
    init(_ snapshot: Snapshot) {
        var fields: Set<String> = []
        var parameters: Set<String> = []
        var cookies: Set<String> = []
        var secretPaths: [Int: String] = [:]
        for route in snapshot.routes {
            fields.formUnion(route.credentials.headerNames)
            parameters.formUnion(route.credentials.queryNames.map { String(decoding: $0, as: UTF8.self) })
            cookies.formUnion(route.credentials.cookieNames.map { String(decoding: $0, as: UTF8.self) })
            let configuration = snapshot.configuration.routes[route.index]
            if let path = configuration.upstreamPath, Self.isSecret(HeaderTemplate(name: "", template: path)) {
                secretPaths[route.index] = path.value
            }
            fields.formUnion(configuration.setRequestHeaders.filter(Self.isSecret).map(\.name.lowercasedASCII))
            parameters.formUnion(configuration.setQueryParameters.filter(Self.isSecret).map(\.name))
        }
        self.secretPaths = secretPaths
        self.fields = fields
        self.parameters = parameters
        self.cookies = cookies
        claimPaths = snapshot.configuration.storedCredentials.values.compactMap { JSONPointer($0.claim.value)?.names }
    }

    /// The value is a secret of the policy's, or made from what the caller brings for the upstream.
    private static func isSecret(_ header: HeaderTemplate) -> Bool {
        if header.secret != nil { return true }
        guard let parts = try? TemplateSyntax.parse(header.template.value) else { return true }
        return parts.contains { part in
            switch part {
            case .storedCredential: true
            case .claim(let pointer), .claimJSON(let pointer):
                soundsSecret(pointer.split(separator: "/").last?.lowercased() ?? "")
            case .literal, .path, .subject, .credential, .issuer, .method, .scopes, .clientIP, .requestID, .route, .keyID,
                .realm, .userEmail, .userName, .certificate:
                false
            }
        }
    }

    /// Method and target of a request, with every parameter masked that is, or sounds like, a credential.
    func requestLine(_ head: RequestHead) -> String {
        let method = String(decoding: head.bytes[head.methodRange.range], as: UTF8.self)
        let target = String(decoding: head.bytes[head.target.range], as: UTF8.self)
        let authority = String(decoding: head.bytes[head.authority.range], as: UTF8.self)
        let shown = self.target(target)
        return "\(method) \(head.targetForm == .origin ? authority + shown : shown)"
    }

    /// A field's value, masked where it may be a credential; of cookies the names stay.
    func value(_ value: String, of name: String) -> String {
        let lowered = name.lowercasedASCII
        if lowered == "cookie" {
            return value.split(separator: ";").map { pair in
                pair.split(separator: "=", maxSplits: 1).first.map { "\($0)=\(Self.mask)" } ?? Self.mask
            }.joined(separator: ";")
        }
        if lowered == "authorization" || lowered == "proxy-authorization" {
            let scheme = value.split(separator: " ", maxSplits: 1)
            return scheme.count == 2 ? "\(scheme[0]) \(Self.mask)" : Self.mask
        }
        // A URL may have been called with a credential.
        return isCredential(field: lowered) ? Self.mask : target(value)
    }

    /// - Parameter name: in lower case.
    func isCredential(field name: String) -> Bool { fields.contains(name) || Self.soundsSecret(name) }

    /// A name that is percent-encoded may be any.
    func isCredential(parameter name: String) -> Bool {
        parameters.contains(name) || Self.soundsSecret(name.lowercasedASCII) || name.contains("%")
    }

    func isCredential(cookie name: String) -> Bool { cookies.contains(name) || Self.soundsSecret(name.lowercasedASCII) }

    /// What goes to the upstream; a path that shows what the caller brings for it is told as the policy writes it.
    func target(_ target: String, of route: Route?) -> String {
        guard let pattern = route.flatMap({ secretPaths[$0.index] }) else { return self.target(target) }
        return self.target(pattern + (target.firstIndex(of: "?").map { target[$0...] } ?? ""))
    }

    /// A target with the values of parameters masked that are, or sound like, credentials.
    func target(_ target: String) -> String {
        guard let question = target.firstIndex(of: "?") else { return target }
        let pairs = target[target.index(after: question)...].split(separator: "&", omittingEmptySubsequences: false)
        let shown = pairs.map { pair in
            guard let equals = pair.firstIndex(of: "=") else { return String(pair) }
            let name = String(pair[..<equals])
            return isCredential(parameter: name) ? "\(name)=\(Self.mask)" : String(pair)
        }
        return target[...question] + shown.joined(separator: "&")
    }

    /// A token's claims, or one of them, with whatever is, or sounds like, a credential in it masked.
    /// - Parameter path: where the node stands in the claims.
    func claims(_ node: JSONNode, at path: [String] = []) -> JSONNode {
        if claimPaths.contains(path) || Self.soundsSecret(path.last?.lowercasedASCII ?? "") {
            return JSONNode(.string(Self.mask), at: node.position)
        }
        switch node.value {
        case .object(let members):
            let shown = members.map { member in
                JSONMember(
                    name: member.name, namePosition: member.namePosition,
                    node: claims(member.node, at: path + [member.name]))
            }
            return JSONNode(.object(shown), at: node.position)
        case .array(let elements):
            let shown = elements.indices.map { claims(elements[$0], at: path + [String($0)]) }
            return JSONNode(.array(shown), at: node.position)
        case .null, .bool, .number, .string: return node
        }
    }

    /// Names of what is better not shown.
    private static func soundsSecret(_ name: String) -> Bool {
        // What the gateway says of a credential is none.
        if name == "x-auth-credential" { return false }
        let plain = name.filter { !"_-[]".contains($0) }
        return ["secret", "password", "passwd", "token", "apikey", "credential", "authdata", "signature", "sig", "auth"]
            .contains { $0.count < 5 ? plain == $0 : plain.hasSuffix($0) } || plain == "key" || plain.hasSuffix("/key")
    }
}
