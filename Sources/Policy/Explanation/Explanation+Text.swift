import Core

/// Explanations for people.
extension Explanation {
    /// Several lines, without the last line end.
    /// - Parameter isColoured: with the escape sequences of ECMA-48 that terminals colour by.
    package func text(isColoured: Bool) -> String {
        let paint = Paint(isOn: isColoured)
        var lines = ["\(Self.plain(request)) from \(client) at \(ExplanationWriter.text(of: time))", ""]
        for step in steps {
            let title = step.kind.rawValue.map { $0 == "_" ? " " : String($0) }.joined()
            lines.append("\(paint.mark(step.verdict)) \(paint.bold(title))\(step.verdict == .notReached ? ": not reached" : "")")
            for check in step.checks {
                let place = check.rule.map { "  \(paint.faint($0.description))" } ?? ""
                lines.append("     \(paint.mark(check.verdict)) \(Self.plain(check.text))\(place)")
            }
        }
        lines.append("")
        lines.append(verdictLine(paint))
        for refusal in wouldHave {
            lines.append(paint.odd("would have been refused: \(refusal.reason) by \(refusal.rule)") + " (\(refusal.place))")
        }
        if let forwarded {
            lines += ["", "To the upstream:", "  \(Self.plain(forwarded.start))"]
            lines += forwarded.fields.map { "  \($0.name): \(Self.plain($0.value))" }
        }
        if outcome == .noConnection { return (lines + remarkLines).joined(separator: "\n") }
        lines += ["", outcome == .forwarded || outcome == .performed ? "Added to the answer:" : "The answer:"]
        if !answer.start.isEmpty { lines.append("  \(answer.start)") }
        lines += answer.fields.map { "  \($0.name): \(Self.plain($0.value))" }
        if !answer.body.isEmpty {
            lines.append("")
            lines += answer.body.split(separator: "\n").map { "  \(Self.plain(String($0)))" }
        }
        lines += profileLines(paint)
        return (lines + remarkLines).joined(separator: "\n")
    }

    /// Which entries of a profile the answer is made of; nothing where none is.
    private func profileLines(_ paint: Paint) -> [String] {
        guard let profile, !profile.parts.isEmpty else { return [] }
        return ["", "By the profile \(profile.name):"]
            + profile.parts.map { "  \($0.name) of \($0.entry)  \(paint.faint($0.rule.description))" }
    }

    private var remarkLines: [String] { remarks.isEmpty ? [] : [""] + remarks.map { "Note: \(Self.plain($0))" } }

    /// `refused: 403 scope_missing by gateway.json:41:9 (routes[0].authorize.scopes[0])`, `forwarded to users by
    /// gateway.json:30:5 (routes[0])`
    private func verdictLine(_ paint: Paint) -> String {
        let place = rule.map { " by \($0)\($0.path.isEmpty ? "" : " (\($0.path))")" } ?? ""
        switch outcome {
        case .forwarded: return paint.good("forwarded to \(upstream ?? "") by the route \(route ?? "")") + (rule.map { " (\($0))" } ?? "")
        case .performed: return paint.good("carried out by the route \(route ?? "")") + (rule.map { " (\($0))" } ?? "")
        case .refused: return paint.bad("refused: \(status ?? 0) \(reason ?? "")") + place
        case .answered: return paint.good("answered by the gateway: \(status ?? 0)") + place
        case .noConnection: return paint.bad("no connection: the TLS handshake fails") + place
        }
    }

    /// What others chose must not move the cursor or colour the line.
    private static func plain(_ text: String) -> String {
        guard text.unicodeScalars.contains(where: { $0.value < 0x20 || (0x7F...0x9F).contains($0.value) }) else {
            return text
        }
        return String(text.unicodeScalars.map { $0.value < 0x20 || (0x7F...0x9F).contains($0.value) ? "?" : Character($0) })
    }

    /// Colours of a terminal, or none.
    private struct Paint {
        let isOn: Bool

        func mark(_ verdict: Verdict) -> String {
            switch verdict {
            case .passed: good("ok")
            case .failed: bad("NO")
            case .notReached: faint("--")
            case .wouldFail: odd("~~")
            case .noted: faint(" -")
            }
        }

        func good(_ text: String) -> String { paint(text, "32") }
        func bad(_ text: String) -> String { paint(text, "1;31") }
        func odd(_ text: String) -> String { paint(text, "33") }
        func bold(_ text: String) -> String { paint(text, "1") }
        func faint(_ text: String) -> String { paint(text, "2") }

        private func paint(_ text: String, _ code: String) -> String { isOn ? "\u{1B}[\(code)m\(text)\u{1B}[0m" : text }
    }
}
