import ArgumentParser

/// The command line: one type for each command.
struct Portcullis: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "portcullis",
        abstract: "An authentication gateway for HTTP APIs.",
        discussion: """
            Portcullis stands in front of your API, decides for each request who is calling and whether they may, and \
            forwards what passes with the caller's identity in headers the API can trust. One file, gateway.json, \
            holds the policy; editing it changes the running gateway.

            Begin here:

              portcullis key new --prefix acme --id ci    make a key for a caller
              portcullis check                            look over gateway.json
              portcullis serve                            run the gateway

            Every command ends with 0 when all is well, 1 when what it looked at is not, and 2 when it could not do \
            its work (bad arguments, an unreadable file).
            """,
        version: ProgramVersion.text,
        subcommands: [
            ServeCommand.self, CheckCommand.self, TestCommand.self, ExplainCommand.self, DiffCommand.self,
            KeyCommand.self, UserCommand.self, TokenCommand.self, VersionCommand.self,
        ])
}
