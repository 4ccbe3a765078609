import Core

/// What the values of a template are taken from, beside the path and the request's identifier.
struct TemplateSource {
    var identity: Identity
    var client: IPAddress
    /// The route's name.
    var route: String
    /// The client's, whoever it is taken for.
    var certificate: ClientCertificate?
    /// The realm the request is about.
    var realm: String?
    /// The store's user whose id is the subject.
    var user: DirectoryUser?
    /// What is shown to the upstream; nil where a route has no stored credential.
    var stored: UpstreamCredential?
}
