import Core

/// Who is calling, as far as the route asks.
package enum Identity: Sendable {
    /// The route asks nobody, or asks but does not insist and nothing was shown.
    case anonymous
    case apiKey(APIKeyTable.Record, KeyAuthenticator)
    case token(VerifiedToken)
    case certificate(CertificateIdentity)
}

extension Identity {
    package var isAnonymous: Bool {
        switch self {
        case .anonymous: true
        case .apiKey, .token, .certificate: false
        }
    }

    package var token: VerifiedToken? {
        switch self {
        case .token(let token): token
        case .anonymous, .apiKey, .certificate: nil
        }
    }

    /// Appends the key's id or the token's `jti`, as it is, for logs; false when there is none.
    package func appendCredential(to output: inout [UInt8]) -> Bool { appendCredential(.exact, to: &output) }

    /// Appends whom the credential stands for, as it is, for logs; false when there is nobody.
    package func appendSubject(to output: inout [UInt8]) -> Bool { appendSubject(.exact, to: &output) }

    /// The claim a pointer leads to; API keys have none.
    func claim(_ pointer: JSONPointer) -> JSONNode? { token.flatMap { pointer.resolve(in: $0.claims) } }

    func hasScope(_ scope: String) -> Bool {
        switch self {
        case .anonymous: false
        case .apiKey(let record, let authenticator):
            authenticator.table.scopes(of: record).contains(scope.utf8.span)
        case .token(let token): token.scopes.contains { $0.utf8.span.equals(scope.utf8.span) }
        case .certificate(let identity): identity.scopes.contains(scope.utf8.span)
        }
    }

    /// The credential may be used from this address.
    func admits(_ address: IPAddress) -> Bool {
        switch self {
        case .anonymous: true
        case .apiKey(let record, let authenticator):
            authenticator.table.addresses(of: record)?.contains(address) ?? true
        case .token(let token): token.admits(address)
        case .certificate(let identity): identity.addresses?.contains(address) ?? true
        }
    }

    /// How the caller was recognised; false for nobody.
    func appendMethod(to output: inout [UInt8]) -> Bool {
        switch self {
        case .anonymous: return false
        case .apiKey: output.append("api_key")
        case .token: output.append("jwt")
        case .certificate: output.append("certificate")
        }
        return true
    }

    func appendSubject(_ form: ValueTemplate.Form, to output: inout [UInt8]) -> Bool {
        switch self {
        case .anonymous: return false
        case .apiKey(let record, let authenticator):
            return Self.append(form, to: &output) { authenticator.table.appendSubject(of: record, to: &$0) }
        case .token(let token): return ValueTemplate.append(token.subject, form, to: &output)
        case .certificate(let identity): return ValueTemplate.append(identity.subject, form, to: &output)
        }
    }

    func appendCredential(_ form: ValueTemplate.Form, to output: inout [UInt8]) -> Bool {
        switch self {
        case .anonymous: return false
        case .apiKey: return appendKeyID(form, to: &output)
        case .token(let token): return ValueTemplate.append(token.id, form, to: &output)
        case .certificate(let identity):
            output.append(contentsOf: identity.id)
            return true
        }
    }

    func appendKeyID(_ form: ValueTemplate.Form, to output: inout [UInt8]) -> Bool {
        guard case .apiKey(let record, let authenticator) = self else { return false }
        return Self.append(form, to: &output) { authenticator.table.appendID(of: record, to: &$0) }
    }

    /// The scopes, separated by spaces; false when there are none.
    func appendScopes(_ form: ValueTemplate.Form, to output: inout [UInt8]) -> Bool {
        switch self {
        case .anonymous: return false
        case .apiKey(let record, let authenticator):
            let scopes = authenticator.table.scopes(of: record)
            // Scope names are printable ASCII, but "%" is among it.
            let text = scopes.spaceSeparated
            ValueTemplate.append(text.span, form, to: &output)
            return !scopes.isEmpty
        case .token(let token):
            for (index, scope) in token.scopes.enumerated() {
                if index > 0 { output.append(0x20) }
                ValueTemplate.append(scope.utf8.span, form, to: &output)
            }
            return !token.scopes.isEmpty
        case .certificate(let identity):
            let text = identity.scopes.spaceSeparated
            ValueTemplate.append(text.span, form, to: &output)
            return !identity.scopes.isEmpty
        }
    }

    /// Appends what `write` appends, escaped when it has to be; nearly no id and no subject has to.
    private static func append(_ form: ValueTemplate.Form, to output: inout [UInt8], _ write: (inout [UInt8]) -> Void)
        -> Bool
    {
        let start = output.count
        write(&output)
        guard output.count > start else { return false }
        if form == .field, FieldText.needsEscape(output.span.extracting(start..<output.count)) {
            let raw = Array(output[start...])
            output.removeLast(raw.count)
            FieldText.append(raw.span, to: &output)
        }
        return true
    }
}
