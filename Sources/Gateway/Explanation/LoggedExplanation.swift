import Core
package import Policy

extension LoggedRequest {
    /// The decision made again from the record, with the credential taken as recognised. Nil where the record does not tell
    /// enough for it to end as it did: it has no contents, no claims, and not what was left in buckets.
    package func explanation(in source: PolicySource, text: ExplainablePolicy) -> Explanation? {
        guard let method, let path, let document = text.document else { return nil }
        let request = LogReplay.Request(self, method: method, path: path)
        let ids = Set([auth == "api_key" ? credential : nil].compactMap { $0 })
        guard let rehearsal = source.rehearsal(showing: ids) else { return nil }
        let scopes = rehearsal.scopes(ofRoute: route)
        for scheme in ["http", "https"] {
            let test = LogReplay.test(request, time, scheme: scheme, scopes: scopes)
            guard var explanation = rehearsal.explanation(of: test, document: document) else { continue }
            guard explanation.route == route, explanation.reason == reason else { continue }
            explanation.remarks.append("decided again from the access record, with its credential taken as recognised")
            return explanation
        }
        return nil
    }
}
