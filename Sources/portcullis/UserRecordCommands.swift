import ArgumentParser
import Core
import Policy

/// `portcullis user list`
struct UserListCommand: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "list", abstract: "List the users.")

    @OptionGroup var store: StoreOptions

    func run() throws {
        let session = try store.session()
        defer { session.finish() }
        store.show(
            try session.all(ManagementConfiguration(resource: .users)),
            columns: ["id", "email", "name", "scopes", "enabled", "has_password"])
    }
}

/// `portcullis user show`
struct UserShowCommand: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "show", abstract: "Show a user.")

    @OptionGroup var store: StoreOptions
    @OptionGroup var user: UserArguments

    func run() throws {
        let session = try store.session()
        defer { session.finish() }
        store.show(try session.call(ManagementConfiguration(resource: .users), .get, item: session.user(user.user)))
    }
}

/// `portcullis user password`
struct UserPasswordCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "password", abstract: "Set a user's password, read from standard input; tokens issued before end.")

    @OptionGroup var store: StoreOptions
    @OptionGroup var user: UserArguments

    func run() throws {
        let session = try store.session()
        defer { session.finish() }
        let id = try session.user(user.user)
        var content = RecordText()
        content.add("password", try Self.readPassword())
        store.show(try session.call(ManagementConfiguration(resource: .users), .patch, item: id, content: content, of: "user"))
    }

    static func readPassword() throws -> String {
        let bytes = try SecretInput.read(prompt: "Password, then Enter (it is not shown):")
        guard let text = String(validating: bytes, as: UTF8.self) else { throw ValidationError("the password is not UTF-8") }
        return text
    }
}

/// `portcullis user disable`
struct UserDisableCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "disable", abstract: "Refuse a user's sign-ins, tokens and keys until he is enabled again.")

    @OptionGroup var store: StoreOptions
    @OptionGroup var user: UserArguments

    func run() throws { try user.setEnabled(false, store) }
}

/// `portcullis user enable`
struct UserEnableCommand: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "enable", abstract: "Let a user in again.")

    @OptionGroup var store: StoreOptions
    @OptionGroup var user: UserArguments

    func run() throws { try user.setEnabled(true, store) }
}

/// `portcullis user sign-out`
struct UserSignOutCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sign-out", abstract: "End a user's tokens and refresh tokens; the password stays.")

    @OptionGroup var store: StoreOptions
    @OptionGroup var user: UserArguments

    func run() throws {
        let session = try store.session()
        defer { session.finish() }
        let id = try session.user(user.user)
        store.show(
            try session.call(ManagementConfiguration(resource: .users), .post, item: id, operation: "sign_out"))
    }
}

/// `portcullis user delete`
struct UserDeleteCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "delete", abstract: "Remove a user with keys, memberships and refresh tokens.")

    @OptionGroup var store: StoreOptions
    @OptionGroup var user: UserArguments

    func run() throws {
        let session = try store.session()
        defer { session.finish() }
        store.show(try session.call(ManagementConfiguration(resource: .users), .delete, item: session.user(user.user)))
    }
}

/// Which user a command is about.
struct UserArguments: ParsableArguments {
    @Argument(help: "The user's e-mail address or id.")
    var user: String

    func setEnabled(_ isEnabled: Bool, _ store: StoreOptions) throws {
        let session = try store.session()
        defer { session.finish() }
        let id = try session.user(user)
        var content = RecordText()
        content.add("enabled", isEnabled)
        store.show(try session.call(ManagementConfiguration(resource: .users), .patch, item: id, content: content, of: "user"))
    }
}
