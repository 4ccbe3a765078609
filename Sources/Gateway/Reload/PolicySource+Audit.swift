import Policy
import TokenService

extension PolicySource {
    /// Where audit events go, with the webhook's secret and its authority read.
    func audit(
        _ audit: AuditConfiguration, _ files: PolicyFiles, _ previous: CompiledPolicy?, by tls: inout TLSCompiler,
        into load: inout PolicyLoad
    ) -> CompiledAudit {
        var compiled = CompiledAudit()
        compiled.log = audit.log
        if case .file(let path)? = audit.log { compiled.log = .file(files.resolved(path)) }
        guard let webhook = audit.webhook, let secret = secret(webhook.secret, files, into: &load) else { return compiled }
        var security: CompiledClientTLS?
        if FetchAddress.isSecure(webhook.url.value) {
            security = tls.client(webhook, before: previous?.audit.webhook?.security)
        }
        compiled.webhook = CompiledAudit.Webhook(
            url: webhook.url.value, signature: WebhookSignature(secret: secret), security: security, timeout: webhook.timeout,
            attempts: webhook.attempts)
        return compiled
    }

    /// The bytes of a secret; nil after an error was noted.
    func secret(_ place: Located<SecretReference>, _ files: PolicyFiles, into load: inout PolicyLoad) -> [UInt8]? {
        do throws(CompileFault) { return try files.secret(place.value, at: place) } catch {
            load.diagnostics.append(
                Diagnostic(
                    .error, error.code, file: files.fileName, position: place.position, path: place.path,
                    message: error.message))
            return nil
        }
    }
}
