import ArgumentParser
import Core

/// `portcullis key create`
struct KeyCreateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "create", abstract: "Make an API key that the store keeps: prints its secret once.",
        discussion: """
            The key is taken by the next request, also of a gateway that runs already.

              portcullis key create --name ci --scopes orders:read --expires-in 90d
              portcullis key create --name laptop --user ada@example.com --json

            A key that its holder has already comes in by its digest, as portcullis key hash prints it; nothing is shown then:

              portcullis key create --name old --sha256 "$(portcullis key hash --bare < secret.txt)"
            """)

    @OptionGroup var store: StoreOptions

    @Option(help: "What people call the key.")
    var name: String

    @Option(help: "The authenticator it is for; the one with \"stored\": true where there is only one.")
    var authenticator: String?

    @Option(help: "The user it belongs to, by e-mail address or id.")
    var user: String?

    @Option(help: "Who the key stands for; the user, or the key's id when not given.")
    var subject: String?

    @Option(help: "Scopes the key has, separated by commas.", transform: commaSeparated)
    var scopes: [String] = []

    @Option(help: "Addresses and networks the key may be used from, separated by commas.", transform: commaSeparated)
    var allowIps: [String] = []

    @Option(help: "Limits that replace the route's for this key, separated by commas.", transform: commaSeparated)
    var limits: [String] = []

    @Option(help: "The realm the key is locked to.")
    var realm: String?

    @Option(help: "How long the key is valid from now, as in 90d or 12h; for ever when not given.")
    var expiresIn: String?

    @Option(name: .customLong("sha256"), help: "The SHA-256 of a key that exists, where the authenticator has no pepper.")
    var digest: String?

    @Option(name: .customLong("hmac-sha256"), help: "Its HMAC-SHA-256 with the pepper, where the authenticator has one.")
    var keyedDigest: String?

    func run() throws {
        let session = try store.session()
        defer { session.finish() }
        var content = RecordText()
        content.add("name", name)
        if let user { content.add("user_id", try session.user(user)) }
        if let subject { content.add("subject", subject) }
        if !scopes.isEmpty { content.add("scopes", scopes) }
        if !allowIps.isEmpty { content.add("allow_ips", allowIps) }
        if !limits.isEmpty { content.add("limits", limits) }
        if let realm { content.add("realm", realm) }
        if let digest { content.add("sha256", digest) }
        if let keyedDigest { content.add("hmac_sha256", keyedDigest) }
        if let expiresIn { content.add("expires_in", expiresIn) }
        store.show(try session.call(session.keys(authenticator), .post, content: content, of: "api_key"))
    }
}
