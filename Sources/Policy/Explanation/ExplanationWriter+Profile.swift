import Core

extension ExplanationWriter {
    /// Which entries of the profile the parts of the answer come from.
    func profile(of refusal: Refusal) -> Explanation.Profile {
        let profile = refusal.route?.profile ?? snapshot.profile
        let isGRPC = original.map { GRPCAnswer.mediaType(of: $0) != nil } ?? false
        var parts: [Explanation.Profile.Part] = []
        for (entry, answer) in profile.entries(for: refusal.denial) {
            var names: [String] = []
            // A gRPC answer has the status of gRPC, and no content.
            if answer.status != nil, !isGRPC { names.append("status") }
            if answer.body != nil, !isGRPC { names.append("body") }
            if !answer.headers.isEmpty { names.append("headers") }
            if answer.challenge != nil { names.append("challenge") }
            for name in names where !parts.contains(where: { $0.name == name }) {
                parts.append(
                    Explanation.Profile.Part(
                        name: name, entry: entry.path.joined(separator: "."),
                        rule: document.rule(ofProfile: profile.name, entry, name)))
            }
        }
        return Explanation.Profile(name: profile.name, kind: refusal.denial.kind, parts: parts)
    }
}
