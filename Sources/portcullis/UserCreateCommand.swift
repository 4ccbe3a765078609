import ArgumentParser
import Core
import Policy

/// `portcullis user create`
struct UserCreateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "create", abstract: "Make a user; the password is read from standard input.",
        discussion: """
            At a terminal it asks for the password and does not show it.

              portcullis user create ada@example.com --scopes orders:read
              pass show ada | portcullis user create ada@example.com
              portcullis user create robot@example.com --no-password
            """)

    @OptionGroup var store: StoreOptions

    @Argument(help: "The e-mail address.")
    var email: String

    @Option(help: "What people call the user; the e-mail address when not given.")
    var name: String?

    @Option(help: "Scopes the user has, separated by commas.", transform: commaSeparated)
    var scopes: [String] = []

    @Flag(help: "Make a user who cannot sign in by password.")
    var noPassword = false

    func run() throws {
        let session = try store.session()
        defer { session.finish() }
        var content = RecordText()
        content.add("email", email)
        if let name { content.add("name", name) }
        if !scopes.isEmpty { content.add("scopes", scopes) }
        if !noPassword { content.add("password", try UserPasswordCommand.readPassword()) }
        store.show(try session.call(ManagementConfiguration(resource: .users), .post, content: content, of: "user"))
    }
}
