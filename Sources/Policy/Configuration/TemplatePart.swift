/// One part of a header or claim template: text, or a value of the request put in its place.
package enum TemplatePart: Sendable, Equatable {
    case literal(String)
    /// `{path.NAME}`: the decoded capture of the route's path pattern.
    case path(capture: String)
    /// `{subject}`: whom the credential stands for.
    case subject
    /// `{credential}`: the key's id, or the token's `jti`.
    case credential
    /// `{issuer}`: the token's `iss`.
    case issuer
    /// `{method}`: how the caller was authenticated, `api_key`, `jwt` or `certificate`.
    case method
    /// `{scopes}`: the granted scopes, separated by spaces.
    case scopes
    /// `{claims./a/b}`: the claim at a JSON Pointer (RFC 6901). Strings, numbers and booleans as their text, arrays of
    /// those joined by ",".
    case claim(pointer: String)
    /// `{claims./a/b|json}`: the claim as compact JSON.
    case claimJSON(pointer: String)
    /// `{stored_credential./a/b}`: a value of the credential that the route's `stored_credential` names.
    case storedCredential(pointer: String)
    /// `{client_ip}`: the address the request came from, behind the trusted proxies.
    case clientIP
    /// `{request_id}`.
    case requestID
    /// `{route}`: the route's name.
    case route
    /// `{key.id}`: the API key's id; empty for tokens.
    case keyID
    /// `{realm}`: the realm the request is about.
    case realm
    /// `{user.email}` and `{user.name}`, of the store's user whose id is the subject.
    case userEmail, userName
    /// `{certificate.NAME}`: something of the certificate the client has shown, whoever it is taken for. Several names are
    /// joined by ",".
    case certificate(CertificateField)
}

extension TemplatePart {
    /// The value exists only for a caller who has shown a credential.
    package var needsIdentity: Bool {
        switch self {
        case .subject, .credential, .issuer, .method, .scopes, .claim, .claimJSON, .keyID, .userEmail, .userName,
            .storedCredential:
            true
        case .literal, .path, .clientIP, .requestID, .route, .certificate, .realm: false
        }
    }
}
