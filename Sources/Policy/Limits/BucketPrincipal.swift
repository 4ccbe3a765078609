import Core

/// Whom a bucket belongs to, put together from the parts its limit names.
struct BucketPrincipal {
    let identity: Identity
    let routeName: String
    /// The address the request came from.
    let client: IPAddress
    /// The route refuses nobody: what it counts must not have others refuse somebody.
    var isShadow = false

    /// Whether the bucket of an identity depends on the address it comes from. Who is nobody is told by it.
    static func usesAddress(_ limit: Limit, _ identity: Identity) -> Bool {
        limit.parts.contains { part in
            switch part {
            case .address: true
            case .route: false
            case .identity, .key: identity.isAnonymous
            }
        }
    }

    /// Appends the principal of one limit's bucket.
    func append(for limit: Limit, to bytes: inout [UInt8]) {
        if isShadow { BucketKey.appendPart(.route, "".utf8.span, to: &bytes) }
        for part in limit.parts {
            switch part {
            case .address: BucketKey.appendPart(address: client, to: &bytes)
            case .route: BucketKey.appendPart(.route, routeName.utf8.span, to: &bytes)
            case .identity, .key:
                switch identity {
                case .anonymous: BucketKey.appendPart(address: client, to: &bytes)
                case .apiKey(let record, let authenticator): Self.append(part, record, authenticator, to: &bytes)
                case .token(let token):
                    switch token.parent {
                    // Of all tokens made with a key none brings another bucket than the key's.
                    case .key(let record, let authenticator): Self.append(part, record, authenticator, to: &bytes)
                    case .user(let user): Self.append(part, user, token, to: &bytes)
                    case nil: Self.append(part, token, to: &bytes)
                    }
                case .certificate(let identity): Self.append(part, identity, to: &bytes)
                }
            }
        }
    }

    /// A key is its record's id, under the authenticator's name.
    private static func append(
        _ part: LimitConfiguration.Part, _ record: APIKeyTable.Record, _ authenticator: KeyAuthenticator,
        to bytes: inout [UInt8]
    ) {
        BucketKey.appendPart(part, authenticator.name.utf8.span, to: &bytes)
        var id: [UInt8] = []
        authenticator.table.appendID(of: record, to: &id)
        BucketKey.appendPart(part, id.span, to: &bytes)
    }

    /// A user is counted as such, whatever token is shown.
    private static func append(
        _ part: LimitConfiguration.Part, _ user: DirectoryUser, _ token: VerifiedToken, to bytes: inout [UInt8]
    ) {
        BucketKey.appendPart(part, (token.issuer ?? token.authenticator).utf8.span, to: &bytes)
        BucketKey.appendPart(part, user.id.utf8.span, to: &bytes)
    }

    /// The identity behind a certificate is its subject under the authenticator, so that a renewed one brings no fresh
    /// bucket; `key` counts each certificate by itself.
    private static func append(
        _ part: LimitConfiguration.Part, _ identity: CertificateIdentity, to bytes: inout [UInt8]
    ) {
        BucketKey.appendPart(part, identity.authenticator.utf8.span, to: &bytes)
        let id = part == .key ? identity.certificate.fingerprintText : identity.subject
        BucketKey.appendPart(part, id.utf8.span, to: &bytes)
    }

    /// The identity behind a token is its subject at its issuer, so that a fresh token brings no fresh bucket; a token
    /// that names no subject stands for itself. `key` counts each token id by itself where there is one.
    private static func append(_ part: LimitConfiguration.Part, _ token: VerifiedToken, to bytes: inout [UInt8]) {
        BucketKey.appendPart(part, (token.issuer ?? token.authenticator).utf8.span, to: &bytes)
        let id = part == .key ? token.id ?? token.subject : token.subject ?? token.id
        if let id {
            BucketKey.appendPart(part, id.utf8.span, to: &bytes)
        } else {
            BucketKey.appendPart(part, token.digest.hex.utf8.span, to: &bytes)
        }
    }
}
