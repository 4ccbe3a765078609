package import Core

/// `gateway.json` as read: every member checked by itself, references between members not yet followed. `Snapshot` is
/// what becomes of it.
package struct Configuration: Sendable {
    /// Event loops; nil for one per core.
    package var loops: Int?
    package var listeners: [ListenerConfiguration] = []
    package var admin: AdminConfiguration?
    package var trustedProxies: [CIDRBlock] = []
    /// Which family of forwarding fields is believed from trusted peers and written to upstreams.
    package var forwardedFields = ForwardedFields.xForwarded
    /// The pseudonym in our `Via` entry (RFC 9110 §7.6.3); nil leaves Via alone.
    package var via: String?
    package var bounds = Bounds()
    package var paths = PathRules()
    package var accessLog = AccessLogDestination.standardOutput
    /// Nil keeps nothing: neither keys nor users nor keys to sign with.
    package var store: StoreConfiguration?
    package var audit = AuditConfiguration()
    package var upstreams: [String: UpstreamConfiguration] = [:]
    package var keySets: [String: KeySetConfiguration] = [:]
    package var authenticators: [String: AuthenticatorConfiguration] = [:]
    package var storedCredentials: [String: StoredCredentialConfiguration] = [:]
    package var limits: [String: LimitConfiguration] = [:]
    package var failureBudget: FailureBudgetConfiguration? = FailureBudgetConfiguration()
    package var rateHeaders = RateHeaderStyle()
    /// The headers that tell an upstream who is calling: the defaults as the file changes them.
    package var identityHeaders = HeaderTemplate.identityDefaults
    package var profiles: [String: ResponseProfileConfiguration] = [:]
    /// Name of the profile of the gateway's own answers; "problem" is built in.
    package var responses = Configuration.builtInProfile
    /// The realm of challenges (RFC 9110 §11.5) in answers of profiles that have none.
    package var challengeRealm = "portcullis"
    /// Requests in clear are refused by every route that does not say otherwise.
    package var httpsOnly = false
    /// What becomes of fields that claim another target or method, on routes that do not say otherwise.
    package var overrideHeaders = OverrideHeaders.drop
    /// CORS of routes without a `cors` of their own and of requests without a route; nil adds no fields.
    package var cors: CORSSetting?
    package var routes: [RouteConfiguration] = []
    /// Members of `defaults` that no route inherits.
    package var unusedDefaults: [Located<String>] = []
    /// The policy's own tests, as far as they stand in the file itself.
    package var tests: [PolicyTestConfiguration] = []
    /// A file of more tests.
    package var testsFile: Located<String>?
    /// Where members stand that warnings point at, by path: those at the top, and the address lists of routes.
    package var positions: [String: SourcePosition] = [:]

    /// The profile that needs no definition: RFC 9457 problem documents.
    package static let builtInProfile = "problem"

    package init() {}
}

/// A string of the file with the place it stands at, for diagnostics.
package struct Located<Value: Sendable>: Sendable {
    package var value: Value
    package var position: SourcePosition
    /// Path of the member, as in `routes[3].limits[0]`.
    package var path: String

    package init(_ value: Value, at position: SourcePosition, path: String) {
        self.value = value
        self.position = position
        self.path = path
    }
}

extension Located: Equatable where Value: Equatable {}

package struct AdminConfiguration: Sendable, Equatable {
    package var address: SocketEndpoint
    /// What opens `/v1/`, the management of what the store keeps; nil closes it.
    package var token: Located<SecretReference>?
    /// Names, in lower case, that Host may hold beside addresses and "localhost" where a request comes from this machine.
    package var hosts: [String] = []
    /// Nil in plaintext.
    package var tls: ListenerTLSConfiguration?
    /// A listener of its own for health probes; nil where there is none.
    package var probes: ProbesConfiguration?
    /// What `/readyz` waits for, here and there.
    package var readyWhen = ReadyWhen.started
    package var position: SourcePosition

    /// The shortest token: a shorter one can be guessed.
    package static let shortestToken = 16

    package init(address: SocketEndpoint, token: Located<SecretReference>? = nil, position: SourcePosition) {
        self.address = address
        self.token = token
        self.position = position
    }
}

/// When a gateway that has started is ready for requests.
package enum ReadyWhen: String, Sendable, CaseIterable {
    /// Its listeners are open.
    case started
    /// Every key set that is fetched has been fetched once since the start. Later nothing about keys makes it unready.
    case keys
}

/// A listener that answers `/healthz` and `/readyz` and tells nothing else.
package struct ProbesConfiguration: Sendable, Equatable {
    package var address: SocketEndpoint
    /// It answers `/metrics` too.
    package var showsMetrics = false

    package init(address: SocketEndpoint) { self.address = address }
}

package enum ForwardedFields: String, Sendable, CaseIterable {
    case xForwarded = "x-forwarded"
    case forwarded = "forwarded"
    case both = "both"
    case none = "none"
}

/// What becomes of the `OverrideFields` of peers that are no trusted proxies.
package enum OverrideHeaders: String, Sendable, CaseIterable { case drop, keep }

package enum AccessLogDestination: Sendable, Equatable {
    case off
    case standardOutput
    case file(String)
}

/// How spellings of a path are treated before a route is chosen.
package struct PathRules: Sendable, Equatable {
    package enum DotSegments: String, Sendable, CaseIterable { case reject, remove }
    package enum EncodedSlash: String, Sendable, CaseIterable { case reject, keep }
    package enum EmptySegments: String, Sendable, CaseIterable { case merge, reject }
    package enum InvalidUTF8: String, Sendable, CaseIterable { case reject, keep }

    /// "." and ".." segments, also percent-encoded.
    package var dotSegments = DotSegments.reject
    /// "%2F" and "%5C" in the path. "keep" leaves them encoded inside their segment.
    package var encodedSlash = EncodedSlash.reject
    /// "//" inside the path.
    package var emptySegments = EmptySegments.merge
    /// Percent-encoded bytes that are not UTF-8. "keep" leaves them as they are.
    package var invalidUTF8 = InvalidUTF8.reject
    /// The readings of a path by which it may not lead to another route.
    package var readings = Set(PathReading.allCases)

    package init() {}
}

/// A secret by reference.
package enum SecretReference: Sendable, Equatable {
    case environment(String)
    case file(String)
}

package struct LimitConfiguration: Sendable, Equatable {
    /// What a bucket belongs to. Several parts make one compound key.
    package enum Part: String, Sendable, CaseIterable { case identity, key, address, route }
    package enum Kind: String, Sendable, CaseIterable {
        /// A token bucket: an even flow, and a burst on top.
        case bucket
        /// Fixed windows, each from a principal's first request.
        case window
    }

    package var kind: Kind
    package var requests: Int
    package var per: Nanoseconds
    /// Of a bucket; windows have none.
    package var burst: Int
    package var by: [Part]
    package var mode = RuleMode.enforce
    package var position: SourcePosition

    package init(
        kind: Kind = .bucket, requests: Int, per: Nanoseconds, burst: Int, by: [Part], mode: RuleMode = .enforce,
        position: SourcePosition
    ) {
        self.kind = kind
        self.requests = requests
        self.per = per
        self.burst = burst
        self.by = by
        self.mode = mode
        self.position = position
    }
}

/// Failed credentials one address (IPv6: /64) may show before it is answered 429 unseen.
package struct FailureBudgetConfiguration: Sendable, Equatable {
    package var failures = 100
    package var per: Nanoseconds = .seconds(60)
    package var burst = 100

    package init() {}

    /// Wrong passwords of one account where the policy does not say otherwise: 10 in a quarter of an hour.
    package static let accountAttempts = {
        var attempts = FailureBudgetConfiguration()
        attempts.failures = 10
        attempts.per = .seconds(900)
        attempts.burst = 10
        return attempts
    }()
}

/// Which rate-limit fields answers carry.
package struct RateHeaderStyle: Sendable, Equatable {
    package enum Family: String, Sendable, CaseIterable {
        /// `X-RateLimit-Limit`, `-Remaining`, `-Reset`.
        case x
        /// `RateLimit` and `RateLimit-Policy` (draft-ietf-httpapi-ratelimit-headers).
        case ietf
    }
    package enum Reset: String, Sendable, CaseIterable { case unix, delta }

    package var families: Set<Family> = [.x]
    package var reset = Reset.unix
    /// Pass the upstream's own rate fields on instead of dropping them.
    package var keepsUpstream = false

    package init() {}
}

/// A header the gateway sets, or a query parameter, its value a template not yet compiled, or a secret.
package struct HeaderTemplate: Sendable, Equatable {
    package var name: String
    /// Empty where the value is a secret.
    package var template: Located<String>
    package var secret: Located<SecretReference>?

    package init(name: String, template: Located<String>, secret: Located<SecretReference>? = nil) {
        self.name = name
        self.template = template
        self.secret = secret
    }
}

extension HeaderTemplate {
    /// The identity headers of a file that says nothing about them.
    package static let identityDefaults: [HeaderTemplate] = [
        ("X-Auth-Subject", "{subject}"), ("X-Auth-Method", "{method}"), ("X-Auth-Credential", "{credential}"),
        ("X-Auth-Issuer", "{issuer}"), ("X-Auth-Scopes", "{scopes}"),
    ].map { name, template in
        HeaderTemplate(
            name: name,
            template: Located(template, at: SourcePosition(line: 0, column: 0), path: "identity_headers.\(name)"))
    }
}
