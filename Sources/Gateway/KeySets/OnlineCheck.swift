import Crypto
package import Policy

/// Fetches everything that the gateway would fetch for a policy, once, and says what came. For `check --online`; blocks for at most
/// the key sets' `fetch_timeout` together.
package struct OnlineCheck {
    /// One line for each source that is fine, without its diagnostics.
    package private(set) var lines: [String] = []
    /// An error for each source that brings no keys, a warning for each key that is not used.
    package private(set) var diagnostics: [Diagnostic] = []

    /// - Parameter file: the policy's, as the operator gave it.
    package init(_ sets: [CompiledKeySet], file: String) {
        let fetch = KeySetFetch(surroundings: KeySetFetcher.Surroundings(), cryptography: OpenSSLCryptography())
        self.init(sets, file: file, fetch: fetch)
    }

    init(_ sets: [CompiledKeySet], file: String, fetch: KeySetFetch) {
        for compiled in sets.sorted(by: { $0.cell.name < $1.cell.name }) {
            guard let url = compiled.url else { continue }
            let name = compiled.cell.name
            // An issuer's own set has the issuer's name.
            let source = name == url ? OneLine.plain(name) : "\(name): \(FetchAddress.loggable(url))"
            let report = { (severity: Diagnostic.Severity, code: DiagnosticCode, message: String) in
                Diagnostic(
                    severity, code, file: file, position: compiled.configuration.position, path: "key_sets.\(name)", message: message)
            }
            do throws(FetchFault) {
                let (set, _) = try fetch.run(compiled, url, timeout: compiled.configuration.fetchTimeout)
                let count = set.keys.count == 1 ? "1 key" : "\(set.keys.count) keys"
                lines.append("key set \(source): \(count)")
                for key in set.skipped { diagnostics.append(report(.warning, .keyUnusable, "\(FetchAddress.loggable(url)): \(key.line)")) }
            } catch {
                diagnostics.append(report(.error, .keySetUnfetchable, "\(FetchAddress.loggable(url)): \(OneLine.plain(error.message))"))
            }
        }
    }
}
