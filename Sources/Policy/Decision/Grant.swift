package import Core

/// The permission to forward one request. Only the authoriser makes one. A class, because it is handed on several times and holds much.
package final class Grant: Sendable {
    /// Which spelling of the path goes on.
    enum PathForm: Sendable {
        /// It came in normal form.
        case unchanged
        /// It came in another spelling that leads to the same route with the same captures, and goes on as it came.
        case asReceived
        /// It goes on in normal form, since its own spelling could lead somewhere else.
        case normalised
    }

    package let route: Route
    /// The address the request came from, behind the trusted proxies.
    package let client: IPAddress
    let caller: Caller
    /// The first 32 bits of the credential's digest; nil when none was shown.
    package let fingerprint: UInt32?
    /// Where the credential was shown.
    let shown: CredentialPlan.ProbeIndex
    /// Where the caller stands with the limits; nil where none apply.
    package let rate: RateStatus?
    /// The peer is one of the trusted proxies.
    let isPeerTrusted: Bool
    let pathForm: PathForm
    /// What the client has shown of itself in the TLS handshake.
    let certificate: ClientCertificate?
    /// There exactly when the request may change the protocol of its connection.
    let admission: Admission?
    /// What rules in shadow mode would have refused the request for, in the order they were asked.
    package let shadowRefusals: [ShadowRefusal]
    /// Nil where the route knows no realms. In a place of its own, since hardly any route does.
    private let realms: GrantedRealm?

    init(
        route: Route, context: RequestContext, caller: Caller, fingerprint: UInt32?, shown: CredentialPlan.ProbeIndex = .none,
        rate: RateStatus?, pathForm: PathForm, certificate: ClientCertificate?, admission: Admission?,
        realms: GrantedRealm? = nil, shadowRefusals: [ShadowRefusal] = []
    ) {
        self.route = route
        client = context.client
        self.caller = caller
        self.fingerprint = fingerprint
        self.shown = shown
        self.rate = rate
        isPeerTrusted = context.isPeerTrusted
        self.pathForm = pathForm
        self.certificate = certificate
        self.admission = admission
        self.realms = realms
        self.shadowRefusals = shadowRefusals
    }

    /// The same for another realm.
    init(_ grant: Grant, in realm: GrantedRealm) {
        route = grant.route
        client = grant.client
        caller = grant.caller
        fingerprint = grant.fingerprint
        shown = grant.shown
        rate = grant.rate
        isPeerTrusted = grant.isPeerTrusted
        pathForm = grant.pathForm
        certificate = grant.certificate
        admission = grant.admission
        shadowRefusals = grant.shadowRefusals
        realms = realm
    }

    package var identity: Identity { caller.identity }

    /// Who the credentials beside that one stand for; empty but for `all_of`.
    package var others: [Identity] { caller.others.map(\.identity) }

    /// Where the credential was shown, as the access log names it; empty where none was.
    package var credentialPlace: [UInt8] { route.credentials.placeName(shown) }

    /// The gateway reads the whole content before anything is done with the request: an action's, content that may
    /// name the realm, and content that is changed.
    package func holdsContent(_ head: RequestHead) -> Bool {
        if route.action != nil { return true }
        guard route.readsContent else { return false }
        return head.announcesContent || route.content != nil && Snapshot.hasEmptyContent(head, route)
    }

    /// What the head alone says against the request's content; nil where the content may come.
    package func contentDenial(_ framing: BodyFraming) -> Denial? {
        if case .length(let count) = framing, count > route.contentByteLimit { return .bodyTooLarge }
        return nil
    }

    /// The realms the request names; nil where the route knows none.
    package var namedRealm: RequestRealm? { realms?.named }

    /// The realm the request is about; nil where none follows from its head.
    package var realm: String? { realms?.realm }

    /// What templates are filled from.
    var templateSource: TemplateSource {
        TemplateSource(
            identity: identity, client: client, route: route.name, certificate: certificate, realm: realm, user: caller.user)
    }

    /// When the credential of a connection that changes its protocol ends; nil when it does not, and for other requests.
    package var validUntil: WallTime? { admission?.validUntil }
}
