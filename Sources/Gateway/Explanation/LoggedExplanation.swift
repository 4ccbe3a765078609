import Core
package import Policy

extension LoggedRequest {
    /// The decision made again from the record. Where the record does not tell enough for it to end as it did, the steps
    /// that are known by how it ended. Nil for a request that was let through by more than is known.
    package func explanation(in source: PolicySource, text: ExplainablePolicy) -> Explanation? {
        guard let document = text.document, let rehearsal = source.rehearsal() else { return nil }
        let denial = reason.flatMap(Self.denial)
        let retraced = facts.flatMap { rehearsal.retraced($0, denial, at: time, document: document) }
        return retraced ?? denial.map {
            Explanation(
                endingWith: $0, status: status, request: "\(method ?? "no request") \(host ?? "")\(path ?? "")", client: client,
                time: time, route: route, credential: credential, fingerprint: fingerprint, rule: rule(in: text), file: document.file)
        }
    }

    private static func denial(_ reason: String) -> Denial? {
        Denial.all.first { $0.reason == reason } ?? RequestFault.allCases.first { $0.reason.description == reason }.map(Denial.init)
    }
}
