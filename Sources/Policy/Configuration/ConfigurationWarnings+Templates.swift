import Core

/// Templates that say something else than was meant.
extension ConfigurationWarnings {
    /// `{{context.authData.apiKey}}` is the syntax of other systems. Here `{{` and `}}` write braces, so that the name itself would
    /// be sent.
    mutating func reviewTemplates() {
        for header in configuration.identityHeaders { reviewBraces(header.template, shows: nil) }
        for route in configuration.routes {
            let shown = route.storedCredential.flatMap { configuration.storedCredentials[$0.value] }
            for header in route.setRequestHeaders + route.setQueryParameters + route.setContentMembers + route.setResponseHeaders {
                reviewBraces(header.template, shows: shown)
            }
            if let path = route.upstreamPath { reviewBraces(path, shows: shown) }
            for template in route.authorizations.flatMap(\.templates) { reviewBraces(template, shows: nil) }
        }
        for (_, credential) in configuration.storedCredentials {
            for header in credential.refresh?.headers ?? [] { reviewBraces(header.template, shows: credential) }
            if let content = credential.refresh?.content { reviewBraces(in: content, shows: credential) }
        }
    }

    private mutating func reviewBraces(
        in content: CredentialRefreshConfiguration.Content, shows credential: StoredCredentialConfiguration?
    ) {
        switch content {
        case .literal, .secret: break
        case .template(let template): reviewBraces(template, shows: credential)
        case .list(let elements): for element in elements { reviewBraces(in: element, shows: credential) }
        case .object(let members): for member in members { reviewBraces(in: member.content, shows: credential) }
        }
    }

    private mutating func reviewBraces(_ template: Located<String>, shows credential: StoredCredentialConfiguration?) {
        guard let names = Self.namesInDoubledBraces(template.value) else { return }
        var advice = "a placeholder is in single braces, such as {subject} or {claims./name}"
        // Without one of its own, a route may name any of the policy's.
        let candidates = credential.map { [$0] } ?? configuration.storedCredentials.sorted { $0.key < $1.key }.map(\.value)
        for candidate in candidates {
            guard let object = JSONPointer(candidate.claim.value)?.names.last, let place = names.lastIndex(of: object),
                place < names.count - 1
            else { continue }
            let pointer = names[(place + 1)...].map { "/" + $0 }.joined()
            advice = "write {stored_credential.\(pointer)}"
            if credential == nil { advice += " on a route with \"stored_credential\"" }
            break
        }
        warn(
            .bracesDoubled, at: template.position, path: template.path,
            "{{ and }} write braces, so {\(names.joined(separator: "."))} itself is sent; \(advice)")
    }

    /// The names between the first doubled braces that hold two or more with dots between them; spaces around them do not count.
    static func namesInDoubledBraces(_ text: String) -> [String]? {
        var rest = Substring(text)
        while let open = rest.firstRange(of: "{{") {
            rest = rest[open.upperBound...]
            guard let close = rest.firstRange(of: "}}") else { return nil }
            let inner = rest[..<close.lowerBound].filter { $0 != " " }
            let names = inner.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
            let isName = { (name: String) in
                !name.isEmpty && name.utf8.allSatisfy { $0.isLetterOrDigit || $0 == 0x5F || $0 == 0x2D }
            }
            if names.count > 1, names.allSatisfy(isName) { return names }
        }
        return nil
    }
}
