package import Core

/// How a credential is refreshed, compiled. Immutable.
package final class CredentialRefresh: Sendable {
    package let url: String
    package let method: String
    /// For the whole exchange.
    package let timeout: Nanoseconds
    package let ahead: Nanoseconds
    package let cooldown: Nanoseconds
    private let headers: [(name: String, value: ValueTemplate)]
    private let contentType: CredentialRefreshConfiguration.ContentType
    private let content: RefreshContent?

    init(
        _ configuration: CredentialRefreshConfiguration, headers: [(name: String, value: ValueTemplate)],
        content: RefreshContent?
    ) {
        url = configuration.url.value
        method = configuration.method.rawValue
        timeout = configuration.timeout
        ahead = configuration.ahead
        cooldown = configuration.cooldown
        contentType = configuration.contentType
        self.headers = headers
        self.content = content
    }

    /// The fields and the content of the request for a user's next credential.
    /// - Parameter token: one that the credential is for: its issuer and subject may stand in the request.
    package func request(
        for credential: UpstreamCredential, of token: VerifiedToken
    ) -> (fields: [(name: String, value: [UInt8])], content: [UInt8]?) {
        let source = TemplateSource(
            identity: .token(token), client: IPAddress(v4: 0), route: "", stored: credential)
        var fields: [(name: String, value: [UInt8])] = []
        for header in headers {
            guard let value = header.value.text(of: source, form: .field) else { continue }
            fields.append((header.name, value))
        }
        guard let content else { return (fields, method == "GET" ? nil : []) }
        fields.append(("Content-Type", Array(contentType.rawValue.utf8)))
        var bytes: [UInt8] = []
        switch contentType {
        case .json: if !content.append(json: source, to: &bytes) { bytes = Array("null".utf8) }
        case .form: content.append(form: source, to: &bytes)
        }
        return (fields, bytes)
    }
}

extension ValueTemplate {
    /// The value where neither a path nor a request is at hand; nil when a part of it is absent.
    func text(of source: TemplateSource, form: Form) -> [UInt8]? {
        var text: [UInt8] = []
        let none: [UInt8] = []
        guard render(source, path: none.span, requestID: none.span, form: form, to: &text) else { return nil }
        return text
    }
}
