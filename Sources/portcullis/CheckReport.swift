import Core
import Gateway
import Policy

/// What `check` says at its end, for people and for programs.
struct CheckReport {
    let file: String
    let diagnostics: [Diagnostic]

    var errors: Int { diagnostics.count { $0.severity == .error } }
    var warnings: Int { diagnostics.count { $0.severity == .warning } }

    /// `gateway.json: 1 error, 2 warnings`
    var verdict: String { "\(file): \(Self.counted(errors, "error")), \(Self.counted(warnings, "warning"))" }

    /// The verdict and how much there is of everything.
    func summary(of policy: CompiledPolicy) -> String {
        let configuration = policy.snapshot.configuration
        let parts = [
            Self.counted(configuration.routes.count, "route"),
            Self.counted(configuration.authenticators.count, "authenticator"),
            Self.counted(configuration.upstreams.count, "upstream"),
            Self.counted(configuration.limits.count, "limit"),
        ]
        return "\(verdict); \(parts.joined(separator: ", "))"
    }

    private static func counted(_ count: Int, _ noun: String) -> String {
        count == 0 ? "no \(noun)s" : count == 1 ? "1 \(noun)" : "\(count) \(noun)s"
    }

    /// `{"file": …, "valid": …, "errors": …, "warnings": …, "diagnostics": […]}`; line and column are null where the
    /// whole file is meant.
    var json: String {
        var out: [UInt8] = []
        out.append("{\"file\":")
        out.append(jsonString: file)
        errors == 0 ? out.append(",\"valid\":true") : out.append(",\"valid\":false")
        out.append(",\"errors\":")
        out.append(decimal: errors)
        out.append(",\"warnings\":")
        out.append(decimal: warnings)
        out.append(",\"diagnostics\":[")
        for (index, diagnostic) in diagnostics.enumerated() {
            if index > 0 { out.append(",") }
            append(diagnostic, to: &out)
        }
        out.append("]}")
        return String(decoding: out, as: UTF8.self)
    }

    private func append(_ diagnostic: Diagnostic, to out: inout [UInt8]) {
        out.append("{\"severity\":")
        out.append(jsonString: diagnostic.severity.rawValue)
        out.append(",\"code\":")
        out.append(jsonString: diagnostic.code.rawValue)
        out.append(",\"file\":")
        out.append(jsonString: diagnostic.file)
        out.append(",\"line\":")
        append(diagnostic.position?.line, to: &out)
        out.append(",\"column\":")
        append(diagnostic.position?.column, to: &out)
        out.append(",\"path\":")
        out.append(jsonString: diagnostic.path)
        out.append(",\"message\":")
        out.append(jsonString: diagnostic.message)
        out.append("}")
    }

    private func append(_ number: Int?, to out: inout [UInt8]) {
        if let number { out.append(decimal: number) } else { out.append("null") }
    }
}
