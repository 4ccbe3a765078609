import Core

/// What a route asks of a caller once it is known who that is.
struct Authorization: Sendable {
    /// A claim that must have, or contain, a value.
    struct ClaimRule: Sendable {
        var pointer: JSONPointer
        var template: ValueTemplate
    }

    /// All of them.
    var scopes: [String] = []
    var claims: [ClaimRule] = []
    /// Nil allows every address.
    var allowed: AddressSet?
    var denied: AddressSet?
    /// Nil asks for no membership.
    var membership: MembershipRule?

    @inline(__always)
    func admits(_ address: IPAddress) -> Bool {
        if let denied, denied.contains(address) { return false }
        return allowed?.contains(address) ?? true
    }

    /// Nil when the identity has the scopes that the route asks for, or why not. Somebody who is nobody has no scopes
    /// and no claims.
    func scopeDenial(for identity: Identity) -> Denial? {
        if scopes.isEmpty && claims.isEmpty && membership == nil { return nil }
        if identity.isAnonymous { return .credentialMissing }
        for scope in scopes where !identity.hasScope(scope) { return .scopeMissing }
        return nil
    }

    /// Nil when somebody's claims have the values that the route asks for, or why not.
    /// - Parameters:
    ///   - path: the normalised path.
    ///   - scratch: for the value a claim is compared with.
    func claimDenial(for source: TemplateSource, path: Span<UInt8>, scratch: inout [UInt8]) -> Denial? {
        claimDenial(for: source, claimedBy: source.identity, path: path, scratch: &scratch)
    }

    /// The same for the claims of a credential that need not be the one templates are filled from.
    func claimDenial(
        for source: TemplateSource, claimedBy identity: Identity, path: Span<UInt8>, scratch: inout [UInt8]
    ) -> Denial? {
        for claim in claims {
            guard let node = identity.claim(claim.pointer) else { return .claimMismatch }
            scratch.removeAll(keepingCapacity: true)
            let none: [UInt8] = []
            guard
                claim.template.render(source, path: path, requestID: none.span, form: .exact, to: &scratch),
                Self.value(of: node, matches: scratch.span)
            else { return .claimMismatch }
        }
        return nil
    }

    /// A rule is made from the path.
    var usesPath: Bool {
        claims.contains { $0.template.usesPath } || membership?.organization.usesPath ?? false
            || membership?.project?.usesPath ?? false
    }

    /// Claims or memberships are asked for.
    var usesTemplates: Bool { !claims.isEmpty || membership != nil }

    /// Nil when claims and memberships are what the route asks for, or why not.
    func templateDenial(for source: TemplateSource, path: Span<UInt8>, scratch: inout [UInt8]) -> Denial? {
        claimDenial(for: source, path: path, scratch: &scratch)
            ?? membershipDenial(for: source, path: path, scratch: &scratch)
    }

    /// Nil when the user behind the credential belongs where the route asks for, or why not. One whom nobody knows, or who is
    /// disabled, belongs nowhere.
    func membershipDenial(for source: TemplateSource, path: Span<UInt8>, scratch: inout [UInt8]) -> Denial? {
        membershipDenial(of: source.user, for: source, path: path, scratch: &scratch)
    }

    /// The same for a user who need not be the one templates are filled from.
    func membershipDenial(
        of user: DirectoryUser?, for source: TemplateSource, path: Span<UInt8>, scratch: inout [UInt8]
    ) -> Denial? {
        guard let membership else { return nil }
        guard let user, user.isEnabled, membership.admits(user, source, path: path, scratch: &scratch) else {
            return .membershipMissing
        }
        return nil
    }

    /// A scalar equals the text; an array has an element that does.
    private static func value(of node: JSONNode, matches text: Span<UInt8>) -> Bool {
        guard case .array(let elements) = node.value else { return scalar(node, equals: text) }
        for element in elements where scalar(element, equals: text) { return true }
        return false
    }

    /// Strings by their bytes, numbers and booleans by their JSON text; null, arrays and objects equal nothing.
    private static func scalar(_ node: JSONNode, equals text: Span<UInt8>) -> Bool {
        switch node.value {
        // U+FFFD may be half of a surrogate pair, and then what the claim says is not known.
        case .string(let string): string.utf8.span.equals(text) && !string.hasReplacement
        case .number(let number): number.text.utf8.span.equals(text)
        case .bool(let value): text.equals((value ? "true" : "false").utf8.span)
        case .null, .array, .object: false
        }
    }
}
