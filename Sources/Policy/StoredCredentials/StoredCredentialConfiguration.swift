package import Core

/// A credential that tokens bring for the upstream, as `stored_credentials` describes it.
package struct StoredCredentialConfiguration: Sendable {
    /// Where in the claims the object with the credential stands.
    package var claim: Located<String>
    /// Where in that object, and in the answer to a refresh, the key stands: a string.
    package var key = "/apiKey"
    /// Where the refresh token stands: a string.
    package var refreshToken = "/refreshToken"
    /// Where the key's lifetime stands: a number of seconds.
    package var lifetime = "/expiresIn"
    /// Nil where each request shows what its own token brings, and nothing is kept.
    package var refresh: CredentialRefreshConfiguration?
    package var position: SourcePosition

    package init(claim: Located<String>, position: SourcePosition) {
        self.claim = claim
        self.position = position
    }
}

/// The request that exchanges a refresh token for a new credential.
package struct CredentialRefreshConfiguration: Sendable {
    package enum Method: String, Sendable, CaseIterable {
        case post = "POST"
        case put = "PUT"
        case patch = "PATCH"
        case get = "GET"
    }

    /// How the content is written.
    package enum ContentType: String, Sendable, CaseIterable {
        case json = "application/json"
        /// The content is an object without objects and lists in it.
        case form = "application/x-www-form-urlencoded"
    }

    /// The content before placeholders are filled in.
    package indirect enum Content: Sendable {
        case literal(JSONNode)
        case template(Located<String>)
        case secret(Located<SecretReference>)
        case list([Content])
        case object([(name: String, content: Content)])
    }

    package var url: Located<String>
    package var method = Method.post
    package var headers: [HeaderTemplate] = []
    package var contentType = ContentType.json
    package var content: Content?
    /// For the whole exchange.
    package var timeout: Nanoseconds = .seconds(5)
    /// How long before the key's end it is refreshed.
    package var ahead: Nanoseconds = .seconds(60)
    /// The least time between two refreshes of one credential when the first failed or its key was refused.
    package var cooldown: Nanoseconds = .seconds(10)
    /// Whom to believe in place of the system's authorities.
    package var ca: Located<SecretReference>?
    package var position: SourcePosition

    package init(url: Located<String>, position: SourcePosition) {
        self.url = url
        self.position = position
    }
}
