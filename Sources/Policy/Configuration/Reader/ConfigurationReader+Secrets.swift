import Core

/// Secrets and the files that are named like them: by reference only.
extension ConfigurationReader {
    /// - Parameter advice: follows the message about a secret that stands in the file itself.
    mutating func secretReference(
        _ node: LocatedNode?, advice: String = " (\"portcullis key hash\" makes the digests of keys)"
    ) -> SecretReference? {
        guard let node, let text = string(node, expected: "\"env:NAME\" or \"file:PATH\"") else { return nil }
        // The value may be a secret by mistake: no message shows it.
        if text.value.hasPrefix("env:") {
            let name = String(text.value.dropFirst("env:".count))
            if PathPattern.isCaptureName(name) { return .environment(name) }
            report(
                .secretReferenceInvalid, at: node,
                "\"env:\" is followed by the name of a variable: letters, digits and \"_\"")
        } else if text.value.hasPrefix("file:") {
            let path = String(text.value.dropFirst("file:".count))
            if !path.isEmpty, !path.contains("\0") { return .file(path) }
            report(.secretReferenceInvalid, at: node, "\"file:\" is followed by a path")
        } else {
            report(
                .secretLiteral, at: node,
                "a secret does not stand in the file; write \"env:NAME\" or \"file:PATH\"\(advice)"
            )
        }
        return nil
    }
    /// The same with its place.
    mutating func locatedSecret(_ node: LocatedNode?) -> Located<SecretReference>? {
        guard let node, let reference = secretReference(node, advice: "") else { return nil }
        return Located(reference, at: node.position, path: node.path)
    }

    /// Certificates and the like, which are no secrets and are named in the same way.
    mutating func contentReference(_ node: LocatedNode?, of what: String) -> Located<SecretReference>? {
        guard let node, let text = string(node, expected: "\"file:PATH\" or \"env:NAME\"") else { return nil }
        if text.value.hasPrefix("env:") || text.value.hasPrefix("file:") { return locatedSecret(node) }
        let isContent = text.value.hasPrefix("-----BEGIN")
        report(
            .secretReferenceInvalid, at: node,
            isContent
                ? "\(what) stands in a file of its own; write \"file:PATH\""
                : "\(quoted(text.value)) does not say where \(what) is; write \"file:PATH\" or \"env:NAME\"")
        return nil
    }
}
