/// Policy files for tests: a small correct document with single members replaced or added.
enum PolicyText {
    /// The members of the correct document, one a line from line 2 on.
    static let base = [
        #""listeners":[{"address":"0.0.0.0:8080"}],"#,
        #""upstreams":{"up":{"servers":["http://127.0.0.1:9000"]}},"#,
        #""limits":{"gold":{"requests":10,"per":"1s"}},"#,
        ##""key_sets":{"set":{"file":"jwks.json"}},"##,
        #""authenticators":{"keys":{"type":"api_key","from":["header:X-API-Key"],"keys_file":"k"},"jwt":{"type":"jwt","issuer":"i","audiences":["a"],"algorithms":["RS256"],"key_set":"set"}},"#,
        #""routes":[{"name":"r","match":{"path":"/a/{org}"},"authenticate":["keys","jwt"],"limits":["gold"],"upstream":"up"}],"#,
    ]

    /// The document with the members of `fragment`, which begins in line 8. A member the fragment defines leaves an
    /// empty line where the document had it.
    static func document(_ fragment: String) -> String {
        let lines = base.map { line in
            let name = line.prefix { $0 != ":" }
            let isReplaced = fragment.split(separator: "\n").contains { $0.hasPrefix("\(name):") }
            return isReplaced ? "" : line
        }
        let end = fragment.isEmpty ? #""$schema":"x""# : fragment
        return "{\n" + lines.joined(separator: "\n") + "\n\(end)\n}\n"
    }

    /// A member, as `document` wants it: one route with these members beside the ones it needs.
    static func route(_ members: String) -> String {
        #""routes":[{"name":"r","match":{"path":"/a/{org}"},"authenticate":["keys","jwt"],"limits":["gold"],"upstream":"up","#
            + "\n\(members)}]"
    }
}
