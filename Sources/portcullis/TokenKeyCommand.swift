import ArgumentParser
import Core
import Policy

/// `portcullis token key …`
struct TokenKeyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "key", abstract: "The keys that tokens are signed with.",
        discussion: """
            The newest key of a key set signs; older ones verify until they are removed. To replace one, make the new one first.

              portcullis token key create --key-set own --algorithm rs256
              portcullis token key delete jky_0351QZP1GJEsCi0JribTfn --key-set own
            """,
        subcommands: [TokenKeyCreateCommand.self, TokenKeyListCommand.self, TokenKeyDeleteCommand.self])
}

/// `portcullis token key create`
struct TokenKeyCreateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "create", abstract: "Make a key, which signs from now on.")

    @OptionGroup var store: StoreOptions
    @OptionGroup var keys: TokenKeyArguments

    @Option(help: "hs256 or rs256.")
    var algorithm = "hs256"

    func run() throws {
        let session = try store.session()
        defer { session.finish() }
        var content = RecordText()
        content.add("algo", algorithm)
        content.add("use", "sign")
        let configuration = try session.signingKeys(keys.keySet)
        store.show(try session.call(configuration, .post, content: content, of: "jwt_key", realm: keys.realm))
    }
}

/// `portcullis token key list`
struct TokenKeyListCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "List the keys of a key set, with the public halves, and the secrets of hs256.")

    @OptionGroup var store: StoreOptions
    @OptionGroup var keys: TokenKeyArguments

    func run() throws {
        let session = try store.session()
        defer { session.finish() }
        let records = try session.all(session.signingKeys(keys.keySet), realm: keys.realm)
        store.show(records, columns: ["id", "algo", "expired", "realm_id"])
    }
}

/// `portcullis token key delete`
struct TokenKeyDeleteCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "delete", abstract: "Retire a key: it signs no more, and verifies for 4 hours, or not at all.")

    @OptionGroup var store: StoreOptions
    @OptionGroup var keys: TokenKeyArguments

    @Argument(help: "The key's id.")
    var id: String

    @Flag(help: "At once: every token that it signed ends.")
    var force = false

    func run() throws {
        let session = try store.session()
        defer { session.finish() }
        let configuration = try session.signingKeys(keys.keySet)
        store.show(
            try session.call(
                configuration, .delete, item: id, query: [("force", force ? "true" : nil)], realm: keys.realm))
    }
}

/// Which keys a command is about.
struct TokenKeyArguments: ParsableArguments {
    @Option(help: "The key set, one with \"stored\": true.")
    var keySet: String

    @Option(help: "The realm the keys are of.")
    var realm: String?
}
