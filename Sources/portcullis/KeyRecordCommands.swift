import ArgumentParser
import Core

/// `portcullis key show`
struct KeyShowCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Show an API key that the store keeps, without its secret.")

    @OptionGroup var store: StoreOptions
    @OptionGroup var key: KeyArguments

    func run() throws {
        let session = try store.session()
        defer { session.finish() }
        store.show(try session.call(session.keys(key.authenticator), .get, item: key.id))
    }
}

/// `portcullis key rotate`
struct KeyRotateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rotate", abstract: "Give an API key a new secret: prints it once.",
        discussion: """
            The old secret ends at once, and with it every token that was made with it, or after --overlap.

              portcullis key rotate key_0351QZP1GJEsCi0JribTfn --overlap 24h
            """)

    @OptionGroup var store: StoreOptions
    @OptionGroup var key: KeyArguments

    @Option(help: "How long the old secret stays valid, as in 24h; not at all when not given.")
    var overlap = "0s"

    @Option(help: "How long the new secret is valid from now, as in 90d; for ever when not given.")
    var expiresIn: String?

    func run() throws {
        let session = try store.session()
        defer { session.finish() }
        var content = RecordText()
        content.add("overlap", overlap)
        if let expiresIn { content.add("expires_in", expiresIn) }
        let configuration = try session.keys(key.authenticator)
        store.show(
            try session.call(configuration, .post, item: key.id, operation: "rotate", content: content, of: "api_key"))
    }
}

/// `portcullis key revoke`
struct KeyRevokeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "revoke", abstract: "Remove an API key, and with it every token that was made with it.")

    @OptionGroup var store: StoreOptions
    @OptionGroup var key: KeyArguments

    func run() throws {
        let session = try store.session()
        defer { session.finish() }
        store.show(try session.call(session.keys(key.authenticator), .delete, item: key.id))
    }
}

/// Which key a command is about.
struct KeyArguments: ParsableArguments {
    @Argument(help: "The key's id.")
    var id: String

    @Option(help: "The authenticator it is for; the one with \"stored\": true where there is only one.")
    var authenticator: String?
}
