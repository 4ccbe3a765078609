package import Core

package struct RouteConfiguration: Sendable {
    /// Which credentials a route asks for.
    package indirect enum Requirement: Sendable, Equatable {
        case none
        case anyOf([Located<String>])
        case allOf([Located<String>])
        /// Checked when shown, forwarded without identity when absent. Shown and bad is refused.
        case optional([Located<String>])
    }

    package struct Authorization: Sendable {
        /// All of them.
        package var scopes: [String] = []
        /// JSON Pointer into the claims → template it must equal (or, for arrays, contain).
        package var claims: [(pointer: Located<String>, template: Located<String>)] = []
        /// Empty allows every address.
        package var allowedAddresses: [CIDRBlock] = []
        package var deniedAddresses: [CIDRBlock] = []
        /// Nil asks for no membership.
        package var membership: MembershipConfiguration?
        /// Place in the list the rule stands in; nil where it stands alone.
        package var place: Int?

        package init() {}

        /// Every template of the rule.
        package var templates: [Located<String>] {
            claims.map(\.template) + [membership?.organization, membership?.project].compactMap(\.self)
        }

        /// `authorize` or `authorize[1]`.
        package var name: String { place.map { "authorize[\($0)]" } ?? "authorize" }
    }

    package struct HeaderMatch: Sendable, Equatable {
        package var name: String
        /// Nil: the header only has to be there.
        package var value: String?

        package init(name: String, value: String?) {
            self.name = name
            self.value = value
        }
    }

    package var name: String
    /// Lower case; "*.example.com" matches one or more labels; empty matches every host.
    package var hosts: [String] = []
    package var path: Located<String>
    /// Empty matches every method.
    package var methods: [String] = []
    package var headers: [HeaderMatch] = []
    package var requirement: Requirement
    package var authorization = Authorization()
    /// Rules that are only tried, in the order of the file.
    package var shadowAuthorizations: [Authorization] = []
    /// The rule that enforces and those that are tried.
    package var authorizations: [Authorization] { [authorization] + shadowAuthorizations }
    /// `shadow` lets pass whatever the route would refuse.
    package var mode = RuleMode.enforce
    package var limits: [Located<String>] = []
    package var setRequestHeaders: [HeaderTemplate] = []
    package var removedRequestHeaders: [String] = []
    /// Query parameters to add; none of the same name goes on from the client.
    package var setQueryParameters: [HeaderTemplate] = []
    package var removedQueryParameters: [String] = []
    /// Members of JSON content, by JSON Pointer, or parameters of forms to set; nothing of the same name goes on from the client.
    package var setContentMembers: [HeaderTemplate] = []
    /// The same to remove.
    package var removedContentMembers: [String] = []
    package var setResponseHeaders: [HeaderTemplate] = []
    package var removedResponseHeaders: [String] = []
    package var keepsCredentials = false
    /// Where requests go; nil exactly when there is an action.
    package var upstream: Located<String>?
    /// The pattern of the path that goes on; nil takes the request's own.
    package var upstreamPath: Located<String>?
    /// What the gateway itself does with requests.
    package var action: ActionConfiguration?
    /// The credential that the upstream is shown for the caller.
    package var storedCredential: Located<String>?
    /// Nil takes the top-level profile.
    package var responses: Located<String>?
    /// Nil takes `bounds.bodyByteLimit`.
    package var bodyByteLimit: UInt64?
    /// Nil takes the upstream's.
    package var responseTimeout: Nanoseconds?
    /// From a request's head to the end of its answer; nil does not bound it.
    package var timeout: Nanoseconds?
    /// Without a byte either way once an answer has begun; `.max` for "off". Nil takes `standardIdleTimeout`, or the
    /// `body_timeout` of the upstream where that is longer.
    package var idleTimeout: Nanoseconds?
    package var rateHeaders: RateHeaderStyle?
    /// Nil takes the top-level `https_only`.
    package var httpsOnly: Bool?
    /// Nil takes the top-level `override_headers`.
    package var overrideHeaders: OverrideHeaders?
    /// Nil takes the top-level `paths`.
    package var paths: PathRules?
    package var cors = RouteCORS.inherited
    /// Nil lets no connection change its protocol.
    package var upgrade: UpgradeConfiguration?
    /// Nil knows no realms.
    package var realm: RealmConfiguration?
    /// The media types the route serves, `*/*` among them where clients may ask for anything; empty does not look.
    package var accept: [String] = []
    /// The media types of content the route takes; empty takes all.
    package var contentTypes: [String] = []
    /// The types that content of requests to the upstream may have; empty for any.
    var takenContentTypes: [String] {
        guard contentTypes.isEmpty, action == nil else { return contentTypes }
        let places = setContentMembers.map(\.name) + removedContentMembers
        if realm?.readsContent != true, places.isEmpty { return [] }
        return places.allSatisfy { JSONPointer($0)?.names.count == 1 } ? RealmContent.types : [RealmContent.MediaType.json.rawValue]
    }
    /// Names of members that the route has from `defaults`.
    package var inherited: Set<String> = []
    package var position: SourcePosition

    /// The path of a member, the route being this one of the file.
    func path(of member: String, at index: Int) -> String {
        inherited.contains(member) ? "\(RouteDefaults.member).\(member)" : "routes[\(index)].\(member)"
    }

    package init(
        name: String, path: Located<String>, requirement: Requirement, upstream: Located<String>?,
        position: SourcePosition
    ) {
        self.name = name
        self.path = path
        self.requirement = requirement
        self.upstream = upstream
        self.position = position
    }
}
