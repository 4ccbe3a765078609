import ArgumentParser
import Core
import Policy

/// `portcullis user update`
struct UserUpdateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "update", abstract: "Change a user's e-mail address, name or scopes.",
        discussion: """
            What is not given stays as it is; "" takes every scope away.

              portcullis user update ada@example.com --email ada@example.org --scopes orders:read
            """)

    @OptionGroup var store: StoreOptions
    @OptionGroup var user: UserArguments

    @Option(help: "The new e-mail address.")
    var email: String?

    @Option(help: "The user's name.")
    var name: String?

    @Option(help: "Scopes of the user, separated by commas; his keys and tokens have no others.", transform: commaSeparated)
    var scopes: [String]?

    func run() throws {
        var content = RecordText()
        if let email { content.add("email", email) }
        if let name { content.add("name", name) }
        if let scopes { content.add("scopes", scopes == [""] ? [] : scopes) }
        guard !content.isEmpty else { throw ValidationError("one of --email, --name and --scopes is expected") }
        let session = try store.session()
        defer { session.finish() }
        let id = try session.user(user.user)
        store.show(try session.call(ManagementConfiguration(resource: .users), .patch, item: id, content: content, of: "user"))
    }
}
