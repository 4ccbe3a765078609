import ArgumentParser

/// `portcullis user …`
struct UserCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "user", abstract: "Users, their passwords and memberships in the store.",
        discussion: """
            Changes are in force for the next request, also of a gateway that runs already. Users are named by their \
            e-mail address or id.
            """,
        subcommands: [
            UserCreateCommand.self, UserListCommand.self, UserShowCommand.self, UserUpdateCommand.self,
            UserPasswordCommand.self, UserDisableCommand.self, UserEnableCommand.self, UserSignOutCommand.self, UserDeleteCommand.self,
            UserMemberCommand.self,
        ])
}
