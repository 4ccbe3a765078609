import Core

/// What is supposed of a logged request beyond its record: everything a policy may ask for that no log has.
struct Supposition: Equatable {
    struct Field: Equatable {
        var name: String
        var value: String
    }

    /// Fields that routes match by.
    var fields: [Field] = []
    var accept: String?
    var contentType: String?
    /// Nil for no content.
    var contentBytes: UInt64?
    /// The field or parameter a realm is named in, and the realm.
    var realm: (source: CredentialSource, name: String)?
    /// Of a token.
    var scopes: [String] = []
    /// A place where the old policy did not look for a credential, with one that nobody knows.
    var unseen: CredentialSource?
    var unseenPrefix = ""

    static func == (a: Supposition, b: Supposition) -> Bool {
        a.fields == b.fields && a.accept == b.accept && a.contentType == b.contentType && a.contentBytes == b.contentBytes
            && a.realm?.source == b.realm?.source && a.realm?.name == b.realm?.name && a.scopes == b.scopes
            && a.unseen == b.unseen && a.unseenPrefix == b.unseenPrefix
    }
}

/// One thing that may have been otherwise.
struct Variation {
    /// What it is about, as in `the header X-Version`.
    var cause: String
    var apply: (inout Supposition) -> Void
}

/// All that routes ask for and no log has, for the requests that may reach them.
struct Variations {
    private(set) var all: [Variation] = []

    private mutating func add(_ cause: String, _ apply: @escaping (inout Supposition) -> Void) {
        all.append(Variation(cause: cause, apply: apply))
    }

    /// - Parameters:
    ///   - routes: those of both policies that share the request's host, path and method.
    ///   - ownFields: fields that are known, in lower case.
    init(of facts: LoggedFacts, _ routes: [(route: Route, configuration: RouteConfiguration)], ownFields: [String]) {
        addHeaders(routes.map(\.configuration), ownFields)
        addContent(of: facts, routes)
        addRealms(routes.map(\.configuration))
        if facts.isToken { addScopes(routes.map(\.configuration)) }
        if facts.source == nil { addUnseenCredentials(routes.map(\.route)) }
    }

    /// The conditions of a route as fields that meet them.
    static func fields(_ route: RouteConfiguration, but ownFields: [String]) -> [Supposition.Field] {
        route.headers.filter { !ownFields.contains($0.name.lowercasedASCII) }
            .map { Supposition.Field(name: $0.name, value: $0.value ?? "unlogged") }
    }

    private mutating func addHeaders(_ routes: [RouteConfiguration], _ ownFields: [String]) {
        var union: [Supposition.Field] = []
        for route in routes {
            let fields = Self.fields(route, but: ownFields)
            if fields.isEmpty { continue }
            let cause = "the header \(ExplanationWriter.list(fields.map(\.name)))"
            add(cause) { $0.fields = fields }
            add(cause) { $0.fields.removeAll { field in fields.contains { $0.name == field.name } } }
            union.removeAll { field in fields.contains { $0.name == field.name } }
            union += fields
        }
        let whole = union
        if whole.count > 1 { add("the header \(ExplanationWriter.list(whole.map(\.name)))") { $0.fields = whole } }
    }

    private mutating func addContent(of facts: LoggedFacts, _ routes: [(route: Route, configuration: RouteConfiguration)]) {
        let accepted = Set(routes.flatMap(\.configuration.accept)).sorted()
        if !accepted.isEmpty {
            add("the header Accept") { $0.accept = nil }
            for type in accepted + ["none/none"] { add("the header Accept") { $0.accept = type } }
        }
        let taken = Set(routes.flatMap(\.configuration.takenContentTypes)).sorted()
        // Of what was refused before its content came nobody knows how much that was.
        let isUnknown = facts.contentBytes == 0 && !facts.isLetThrough
        for type in taken + (taken.isEmpty ? [] : ["none/none"]) where facts.contentBytes > 0 || isUnknown {
            add("the content's type") {
                $0.contentType = type
                $0.contentBytes = $0.contentBytes ?? 1
            }
        }
        for limit in Set(routes.map(\.route.contentByteLimit)).sorted() where isUnknown && limit < .max {
            for count in [limit, limit + 1] { add("the size of the content") { $0.contentBytes = count } }
        }
    }

    private mutating func addRealms(_ routes: [RouteConfiguration]) {
        for realm in routes.compactMap(\.realm) {
            let header = realm.header.map(CredentialSource.header)
            for source in [header, realm.parameter.map(CredentialSource.query)].compactMap(\.self) {
                add("the realm that is named") { $0.realm = (source, "unlogged") }
            }
        }
    }

    /// Of all scopes that are asked for a token may have any.
    private mutating func addScopes(_ routes: [RouteConfiguration]) {
        let all = Set(routes.flatMap { $0.authorizations.flatMap(\.scopes) }).sorted()
        if all.isEmpty { return }
        add("the scopes of the token") { $0.scopes = all }
        add("the scopes of the token") { $0.scopes = [] }
        for scope in all { add("the scopes of the token") { $0.scopes = all.filter { $0 != scope } } }
    }

    private mutating func addUnseenCredentials(_ routes: [Route]) {
        for probe in routes.flatMap(\.credentials.groups).joined() {
            guard let source = CredentialSource(recorded: String(decoding: probe.placeName, as: UTF8.self), prefix: "")
            else { continue }
            let prefix = probe.judges.first.map { String(decoding: $0.prefix.bytes, as: UTF8.self) } ?? ""
            add("whether a credential was shown") {
                $0.unseen = source
                $0.unseenPrefix = prefix
            }
        }
    }
}
