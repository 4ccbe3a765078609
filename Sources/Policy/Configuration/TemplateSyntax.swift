import Core

/// The syntax of header and claim templates: text with placeholders in braces, `{{` and `}}` for braces themselves.
package enum TemplateSyntax {
    /// A longer template is refused.
    package static let byteLimit = 4096

    /// Every placeholder without an argument, and the forms of those that take one.
    package static let placeholders = CertificateField.allCases.map { "certificate.\($0.rawValue)" } + [
        "claims./POINTER", "claims./POINTER|json", "client_ip", "credential", "issuer", "key.id", "method",
        "path.NAME", "realm", "request_id", "route", "scopes", "stored_credential./POINTER", "subject", "user.email", "user.name",
    ]

    /// The parts of a template; neighbouring literals are one part, an empty text has no parts.
    package static func parse(_ text: String) throws(TemplateError) -> [TemplatePart] {
        guard text.utf8.count <= byteLimit else { throw .tooLong }
        var parts: [TemplatePart] = []
        var literal = ""
        var rest = Substring(text).unicodeScalars
        while let scalar = rest.popFirst() {
            switch scalar {
            case "{" where rest.first == "{", "}" where rest.first == "}":
                rest.removeFirst()
                literal.unicodeScalars.append(scalar)
            case "{":
                guard let end = rest.firstIndex(of: "}") else { throw .unclosedBrace }
                let name = String(rest[..<end])
                if !literal.isEmpty { parts.append(.literal(literal)) }
                literal = ""
                parts.append(try placeholder(name))
                rest = rest[rest.index(after: end)...]
            case "}":
                throw .strayBrace
            case "\u{0}"..<"\u{9}", "\u{A}"..<"\u{20}", "\u{7F}"..<"\u{A0}":
                throw .controlCharacter
            default:
                literal.unicodeScalars.append(scalar)
            }
        }
        if !literal.isEmpty { parts.append(.literal(literal)) }
        return parts
    }

    /// The template shows a part of a stored credential; false when it is malformed.
    static func showsStoredCredential(_ text: String) -> Bool {
        guard let parts = try? parse(text) else { return false }
        return parts.contains { part in
            if case .storedCredential = part { return true }
            return false
        }
    }

    /// The names of the path captures a template asks for; none when it is malformed.
    package static func captures(in text: String) -> [String] {
        guard let parts = try? parse(text) else { return [] }
        return parts.compactMap { part in
            if case .path(let capture) = part { return capture }
            return nil
        }
    }

    private static func placeholder(_ name: String) throws(TemplateError) -> TemplatePart {
        switch name {
        case "": throw .emptyPlaceholder
        case "subject": return .subject
        case "credential": return .credential
        case "issuer": return .issuer
        case "method": return .method
        case "scopes": return .scopes
        case "client_ip": return .clientIP
        case "request_id": return .requestID
        case "route": return .route
        case "key.id": return .keyID
        case "realm": return .realm
        case "user.email": return .userEmail
        case "user.name": return .userName
        default: break
        }
        if name.hasPrefix("path.") {
            let capture = String(name.dropFirst("path.".count))
            guard PathPattern.isCaptureName(capture) else { throw .invalidCapture(capture) }
            return .path(capture: capture)
        }
        if name.hasPrefix("certificate."),
            let field = CertificateField(rawValue: String(name.dropFirst("certificate.".count)))
        {
            return .certificate(field)
        }
        if name.hasPrefix("stored_credential.") {
            let pointer = String(name.dropFirst("stored_credential.".count))
            guard isPointer(pointer) else { throw .invalidPointer(pointer) }
            return .storedCredential(pointer: pointer)
        }
        if name.hasPrefix("claims.") {
            let argument = name.dropFirst("claims.".count)
            let isJSON = argument.hasSuffix("|json")
            let pointer = String(isJSON ? argument.dropLast("|json".count) : argument)
            guard isPointer(pointer) else { throw .invalidPointer(pointer) }
            return isJSON ? .claimJSON(pointer: pointer) : .claim(pointer: pointer)
        }
        throw .unknownPlaceholder(name)
    }

    /// A JSON Pointer (RFC 6901 §3) to something inside the document: "~" only as "~0" and "~1". The whole document
    /// ("") is never meant where the policy asks for a claim.
    package static func isPointer(_ text: String) -> Bool { !text.isEmpty && JSONPointer(text) != nil }
}
