import Core

/// What pages of other origins may do.
extension ConfigurationReader {
    /// Entries of one list: preflights are answered with all of them.
    private static let corsEntries = 100

    /// The `cors` of a route: an object, `"upstream"`, or `null`, which drops the top-level one.
    mutating func routeCORS(_ members: ObjectMembers) -> RouteCORS {
        guard let node = members["cors"] else { return .inherited }
        if case .null = node.value { return .dropped }
        guard let setting = cors(node) else { return .inherited }
        if setting == .upstream, members["action"] != nil {
            report(.membersExclusive, at: node, "\"upstream\" means nothing here: a route with an action has none")
        }
        return .set(setting)
    }

    mutating func cors(_ node: LocatedNode) -> CORSSetting? {
        guard case .object = node.value else {
            guard let text = string(node, expected: "an object, or \"upstream\"") else { return nil }
            if text.value == "upstream" { return .upstream }
            let hint = Suggestion.phrase(for: text.value, among: ["upstream"])
            report(.valueUnknown, at: node, "expected an object, or \"upstream\", found \(quoted(text.value))\(hint)")
            return nil
        }
        guard let members = object(node, .cors) else { return nil }
        var cors = CORSConfiguration()
        cors.allowsCredentials = boolean(members["credentials"]) ?? false
        cors.origins = origins(members["origins"], withCredentials: cors.allowsCredentials)
        if let list = members["methods"] {
            cors.methods = corsNames(list, of: "methods", withCredentials: cors.allowsCredentials) { $0.method($1) }
        }
        func names(_ member: String) -> [String]? {
            members[member].map { list in
                corsNames(list, of: "header names", withCredentials: cors.allowsCredentials) {
                    $0.checkHeaderName($1.value, in: nil, at: $1.position, path: $1.path)
                }
            }
        }
        cors.headers = names("headers")
        cors.exposed = names("expose") ?? []
        cors.maxAge = duration(members["max_age"], in: 0...(.seconds(86_400)))
        if let age = cors.maxAge, age % .seconds(1) != 0, let place = members["max_age"] {
            report(.valueOutOfRange, at: place, "browsers count whole seconds")
        }
        return .own(cors)
    }

    /// Empty for every origin.
    private mutating func origins(_ node: LocatedNode?, withCredentials: Bool) -> [CORSOrigin] {
        guard let node, filledList(node, of: "origins") != nil else { return [] }
        var origins: [CORSOrigin] = []
        let texts = strings(node, of: "origins")
        checkCount(texts, of: "origins", at: node)
        for text in texts {
            if text.value == CORSConfiguration.wildcard {
                if texts.count > 1 {
                    report(.membersExclusive, at: text.position, path: text.path, "\"*\" is every origin; write it alone, or not at all")
                }
                checkWildcard(text, withCredentials: withCredentials)
                continue
            }
            switch CORSOrigin.read(text.value) {
            case .success(let origin): origins.append(origin)
            case .failure(let error):
                report(.hostInvalid, at: text.position, path: text.path, "invalid origin \(quoted(text.value)): \(error.message)")
            }
        }
        return origins
    }

    private mutating func corsNames(
        _ node: LocatedNode, of what: String, withCredentials: Bool,
        check: (inout ConfigurationReader, Located<String>) -> Bool
    ) -> [String] {
        var names: [String] = []
        let texts = strings(node, of: what)
        checkCount(texts, of: what, at: node)
        for text in texts {
            if text.value == CORSConfiguration.wildcard {
                checkWildcard(text, withCredentials: withCredentials)
            } else if !check(&self, text) {
                continue
            }
            if what != "methods", names.contains(where: { $0.lowercasedASCII == text.value.lowercasedASCII }) {
                report(
                    .valueDuplicate, at: text.position, path: text.path,
                    "another spelling of \(quoted(text.value)) is in the list already")
                continue
            }
            names.append(text.value)
        }
        return names
    }

    /// With credentials a browser takes `*` for a name, and not for everything.
    private mutating func checkWildcard(_ text: Located<String>, withCredentials: Bool) {
        guard withCredentials else { return }
        report(
            .membersExclusive, at: text.position, path: text.path,
            "browsers take \"*\" for everything only without credentials; write what is meant, or \"credentials\": false")
    }

    private mutating func checkCount(_ texts: [Located<String>], of what: String, at node: LocatedNode) {
        guard texts.count > Self.corsEntries else { return }
        report(.valueOutOfRange, at: node, "at most \(Self.corsEntries) \(what), found \(texts.count)")
    }
}
