package import Core

package struct AuthenticatorConfiguration: Sendable {
    package enum Kind: Sendable {
        case apiKey(APIKeyAuthenticatorConfiguration)
        case jwt(JWTAuthenticatorConfiguration)
        case certificate(CertificateAuthenticatorConfiguration)

        var isAPIKey: Bool {
            switch self {
            case .apiKey: true
            case .jwt, .certificate: false
            }
        }
    }

    package var name: String
    package var kind: Kind
    package var position: SourcePosition

    package init(name: String, kind: Kind, position: SourcePosition) {
        self.name = name
        self.kind = kind
        self.position = position
    }
}

/// Where a credential may stand in a request.
package enum CredentialSource: Sendable, Equatable {
    case header(String)
    /// `Authorization: Bearer …`, the token beginning with this prefix ("" for any).
    case bearer(prefix: String)
    /// Only where the authenticator says `"allow_query": true`.
    case query(String)
    case cookie(String)
}

package struct APIKeyAuthenticatorConfiguration: Sendable {
    package var sources: [CredentialSource]
    /// HMAC-SHA-256 key for the digests; plain SHA-256 when nil.
    package var pepper: SecretReference?
    package var keys: [APIKeyConfiguration]
    /// A file of more records, one JSON object a line.
    package var keysFile: Located<String>?
    /// Keys kept in the store are taken too.
    package var isStored = false
    /// How the keys made for it look.
    package var format = KeyFormat.standard
    /// A realm may stand behind a bearer key, a comma between them.
    package var takesRealmSuffix = false

    package init(
        sources: [CredentialSource], pepper: SecretReference?, keys: [APIKeyConfiguration], keysFile: Located<String>?
    ) {
        self.sources = sources
        self.pepper = pepper
        self.keys = keys
        self.keysFile = keysFile
    }
}

/// One API key record: who it stands for, and the digests of the secrets that open it.
package struct APIKeyConfiguration: Sendable {
    package struct Secret: Sendable, Equatable {
        package var digest: Digest256
        package var notBefore: WallTime?
        package var expiresAt: WallTime?

        package init(digest: Digest256, notBefore: WallTime?, expiresAt: WallTime?) {
            self.digest = digest
            self.notBefore = notBefore
            self.expiresAt = expiresAt
        }
    }

    package var id: String
    package var subject: String
    package var secrets: [Secret]
    package var scopes: [String] = []
    /// Empty allows every address.
    package var allowedAddresses: [CIDRBlock] = []
    /// Limit names that replace the route's for this key.
    package var limits: [Located<String>] = []
    /// The realm it is locked to.
    package var realm: String?
    package var isEnabled = true
    package var position: SourcePosition

    package init(id: String, subject: String, secrets: [Secret], position: SourcePosition) {
        self.id = id
        self.subject = subject
        self.secrets = secrets
        self.position = position
    }
}

package struct JWTAuthenticatorConfiguration: Sendable {
    package var sources: [CredentialSource] = [.bearer(prefix: "")]
    /// Exact `iss` values; a token of another issuer is not this authenticator's.
    package var issuers: [String] = []
    /// Without `issuers`: the file says that every issuer is meant.
    package var takesAnyIssuer = false
    /// Any of these in `aud`; empty accepts every audience (`check` warns where there can be others).
    package var audiences: [String] = []
    /// Tokens are meant for no audience: one that has `aud` is meant for another service (RFC 7519 §4.1.3).
    package var refusesAudiences = false
    package var algorithms: [SignatureAlgorithm] = []
    package var keySet: Located<String>
    package var leeway: Nanoseconds = .seconds(30)
    package var requiresExpiry = true
    /// `exp - iat` (or `exp - now` without `iat`) may not exceed this.
    package var maxLifetime: Nanoseconds?
    /// Accepted `typ` values, compared without case and without "application/"; empty accepts `JWT`, `at+jwt` and none at all.
    package var types: [String] = []
    /// JSON Pointer → required value, nil for "must be there".
    package var requiredClaims: [(pointer: Located<String>, value: String?)] = []
    /// JSON Pointers of the claims that fill the identity.
    package var subjectClaim = "/sub"
    package var scopesClaim: String?
    /// The claim with the addresses a token may be used from, honoured when present. Nil looks at none, but for derived tokens and
    /// those of a stored key set at `derivedAddressesClaim`: in tokens of others a claim of that name may mean anything.
    package var addressesClaim: String?
    package static let derivedAddressesClaim = "/ips"
    package var tokenByteLimit = 8192
    /// What its tokens live and die with; nil for tokens that stand by themselves.
    package var derivedFrom: TokenDerivationConfiguration?

    package init(keySet: Located<String>) {
        self.keySet = keySet
    }
}

package struct KeySetConfiguration: Sendable {
    package enum Source: Sendable {
        case url(Located<String>)
        /// The issuer whose metadata name the URL (OpenID Connect Discovery 1.0 §4).
        case discovery(issuer: Located<String>)
        case file(Located<String>)
        /// PEM public key or certificate, the key id and algorithm it is for.
        case pem(file: Located<String>, kid: String?, algorithm: SignatureAlgorithm?)
        /// The JWKS document itself, as JSON text.
        case inline(json: String, position: SourcePosition)
        /// Kept in the store, made when they are needed.
        /// - Parameter algorithms: of new keys, the first one unless somebody asks for another; never none.
        case stored(algorithms: [SignatureAlgorithm])

        /// The gateway itself makes the keys.
        package var isStored: Bool {
            switch self {
            case .stored: true
            case .url, .discovery, .file, .pem, .inline: false
            }
        }
    }

    /// What the gateway can sign with.
    package static let signingAlgorithms: [SignatureAlgorithm] = [.hs256, .hs384, .hs512, .rs256]

    package var source: Source
    /// Certificates in PEM form that vouch for a server the keys are fetched from; nil for the system's.
    package var ca: Located<SecretReference>?
    /// Without Cache-Control: how long a fetched set is fresh.
    package var refresh: Nanoseconds = .seconds(600)
    package var minimumRefresh: Nanoseconds = .seconds(60)
    package var maximumRefresh: Nanoseconds = .seconds(86_400)
    /// Least time between fetches caused by unknown key ids.
    package var cooldown: Nanoseconds = .seconds(30)
    /// How long keys are used after they went stale while fetches fail.
    package var staleLimit: Nanoseconds = .seconds(86_400)
    package var fetchTimeout: Nanoseconds = .seconds(5)
    /// Takes shared secrets shorter than the hash they are used with (RFC 7518 §3.2), but for those below 16 bytes.
    package var allowsShortSecrets = false
    package var position: SourcePosition

    package init(source: Source, position: SourcePosition) {
        self.source = source
        self.position = position
    }
}
