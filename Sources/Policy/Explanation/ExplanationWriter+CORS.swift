import Core

/// What pages of other origins may do.
extension ExplanationWriter {
    /// Names of a preflight that are not allowed and are listed.
    private static let namedFieldLimit = 10

    /// The preflight that the gateway answered.
    var preflight: PreflightAnswer? {
        if case .answered(.preflight(let answer)) = outcome { return answer }
        return nil
    }

    /// The rule that applies, and what the request's origin comes to by it.
    func corsChecks() -> [Check] {
        guard let original else { return [] }
        let chosen = route ?? preflight?.route
        let reference = document.corsRule(of: chosen?.index)
        let found = preflight?.rule ?? (chosen.map { $0.cors } ?? snapshot.cors)
        guard let rule = found else {
            let isWritten = chosen.map { document.has("routes", .element($0.index), "cors") } ?? false
            return [note("nothing is said to pages of other origins", isWritten ? reference : nil)]
        }
        if failing == .cors { return [fail("\(origin(original)): \(denialText)", reference)] }
        if rule.leavesUpstream {
            return [
                note("what the upstream says to pages of other origins passes; the gateway's own answers have fields for them", reference)
            ]
        }
        let origin = originCheck(rule, original, reference)
        guard let preflight else { return [origin] }
        return [origin, methodCheck(preflight, original, reference)] + fieldChecks(rule, original, reference)
    }

    private func methodCheck(_ answer: PreflightAnswer, _ head: RequestHead, _ reference: RuleReference) -> Check {
        let method = String(decoding: head.bytes[answer.preflight.method.range], as: UTF8.self)
        let allowed = String(decoding: snapshot.allowedMethods(by: answer, head), as: UTF8.self)
        // These need no preflight for their own sake, and are allowed whatever the answer says.
        let isSafe = ["GET", "HEAD", "POST"].contains(method)
        if isSafe || allowed == CORSConfiguration.wildcard || ", \(allowed), ".contains(", \(method), ") {
            return pass("a preflight for \(method), which is allowed", reference)
        }
        return note("a preflight for \(method), which is not allowed: browsers do not send the request", reference)
    }

    private func fieldChecks(_ rule: CORSRule, _ head: RequestHead, _ reference: RuleReference) -> [Check] {
        var refused: [String] = []
        Preflight.forEachField(of: head) { name in
            guard !rule.allowsField(name), refused.count < Self.namedFieldLimit else { return }
            refused.append(quoted(String(decoding: name.copied().prefix(100), as: UTF8.self)))
        }
        if refused.isEmpty { return [] }
        let names = refused.joined(separator: ", ")
        return [note("request fields that are not allowed: \(names): browsers do not send the request", reference)]
    }

    private func originCheck(_ rule: CORSRule, _ head: RequestHead, _ reference: RuleReference) -> Check {
        switch rule.verdict(on: head) {
        case .noOrigin: note("the request names no origin", reference)
        case .allowed: pass("pages of \(origin(head)) may read the answer", reference)
        case .notAllowed: note("pages of \(origin(head)) may not read the answer", reference)
        }
    }

    /// What the request says of its origin, for a sentence.
    private func origin(_ head: RequestHead) -> String {
        let values = head.fields.filter { head.bytes.span.extracting($0.name.range).equalsIgnoringCase("origin") }
        let texts = values.map { quoted(String(decoding: head.bytes[$0.value.range].prefix(200), as: UTF8.self)) }
        return texts.isEmpty ? "no origin" : texts.prefix(2).joined(separator: " and ")
    }
}
