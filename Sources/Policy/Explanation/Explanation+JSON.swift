import Core

/// Explanations for programs.
extension Explanation {
    /// Appends one JSON object: `request`, `from`, `at`, `outcome`, `status`, `reason`, `route`, `ambiguity`,
    /// `upstream`, `credential`, `fingerprint`, `rule`, `would_have`, `steps`, `forwarded`, `answer`, `profile`, `remarks`. Members
    /// that mean nothing here are null.
    package func append(json out: inout [UInt8]) {
        out.append("{\"request\":")
        out.append(jsonString: request)
        out.append(",\"from\":")
        out.append(jsonString: client.description)
        out.append(",\"at\":\"")
        out.append(rfc3339: time)
        out.append("\",\"outcome\":")
        out.append(jsonString: outcome.rawValue)
        out.append(",\"status\":")
        if let status { out.append(decimal: status) } else { out.append("null") }
        Self.append("reason", reason, to: &out)
        Self.append("route", route, to: &out)
        append(ambiguityTo: &out)
        Self.append("upstream", upstream, to: &out)
        Self.append("credential", credential, to: &out)
        Self.append("fingerprint", fingerprint.map(ExplanationWriter.hex), to: &out)
        out.append(",\"rule\":")
        Self.append(rule, to: &out)
        out.append(",\"would_have\":[")
        for (index, refusal) in wouldHave.enumerated() {
            if index > 0 { out.append(",") }
            out.append("{\"rule\":")
            out.append(jsonString: refusal.rule)
            Self.append("reason", refusal.reason, to: &out)
            out.append(",\"place\":")
            Self.append(refusal.place, to: &out)
            out.append("}")
        }
        out.append("],\"steps\":[")
        for (index, step) in steps.enumerated() {
            if index > 0 { out.append(",") }
            Self.append(step, to: &out)
        }
        out.append("],\"forwarded\":")
        Self.append(forwarded, to: &out)
        out.append(",\"answer\":")
        Self.append(answer, to: &out)
        Self.append(profile, to: &out)
        out.append(",\"remarks\":[")
        for (index, remark) in remarks.enumerated() {
            if index > 0 { out.append(",") }
            out.append(jsonString: remark)
        }
        out.append("]}")
    }

    private func append(ambiguityTo out: inout [UInt8]) {
        guard let ambiguity else {
            out.append(",\"ambiguity\":null")
            return
        }
        out.append(",\"ambiguity\":{\"path\":")
        out.append(jsonString: ambiguity.path)
        Self.append("other_route", ambiguity.otherRoute, to: &out)
        out.append(",\"readings\":[")
        for (index, reading) in ambiguity.readings.enumerated() {
            if index > 0 { out.append(",") }
            out.append(jsonString: reading)
        }
        out.append("]}")
    }

    private static func append(_ name: StaticString, _ value: String?, to out: inout [UInt8]) {
        out.append(",\"")
        out.append(name)
        out.append("\":")
        if let value { out.append(jsonString: value) } else { out.append("null") }
    }

    private static func append(_ rule: RuleReference?, to out: inout [UInt8]) {
        guard let rule else {
            out.append("null")
            return
        }
        out.append("{\"file\":")
        out.append(jsonString: rule.file)
        out.append(",\"line\":")
        out.append(decimal: rule.position.line)
        out.append(",\"column\":")
        out.append(decimal: rule.position.column)
        out.append(",\"path\":")
        out.append(jsonString: rule.path)
        out.append("}")
    }

    private static func append(_ profile: Profile?, to out: inout [UInt8]) {
        guard let profile else {
            out.append(",\"profile\":null")
            return
        }
        out.append(",\"profile\":{\"name\":")
        out.append(jsonString: profile.name)
        append("kind", profile.kind.rawValue, to: &out)
        out.append(",\"parts\":[")
        for (index, part) in profile.parts.enumerated() {
            out.append(index == 0 ? "{\"part\":" : ",{\"part\":")
            out.append(jsonString: part.name)
            out.append(",\"rule\":")
            append(part.rule, to: &out)
            out.append("}")
        }
        out.append("]}")
    }

    private static func append(_ step: Step, to out: inout [UInt8]) {
        out.append("{\"step\":")
        out.append(jsonString: step.kind.rawValue)
        out.append(",\"verdict\":")
        out.append(jsonString: step.verdict.rawValue)
        out.append(",\"checks\":[")
        for (index, check) in step.checks.enumerated() {
            if index > 0 { out.append(",") }
            out.append("{\"verdict\":")
            out.append(jsonString: check.verdict.rawValue)
            out.append(",\"text\":")
            out.append(jsonString: check.text)
            out.append(",\"rule\":")
            append(check.rule, to: &out)
            out.append("}")
        }
        out.append("]}")
    }

    private static func append(_ message: Message?, to out: inout [UInt8]) {
        guard let message else {
            out.append("null")
            return
        }
        out.append("{\"start\":")
        out.append(jsonString: message.start)
        out.append(",\"fields\":[")
        for (index, field) in message.fields.enumerated() {
            if index > 0 { out.append(",") }
            out.append("[")
            out.append(jsonString: field.name)
            out.append(",")
            out.append(jsonString: field.value)
            out.append("]")
        }
        out.append("],\"body\":")
        out.append(jsonString: message.body)
        out.append("}")
    }
}
