import ArgumentParser

/// `portcullis key …`
struct KeyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "key", abstract: "API keys: in the store, or as records for gateway.json.",
        discussion: """
            Keys that the store keeps are made with "key create", and are in force for the next request, also of a gateway \
            that runs already.

            gateway.json holds digests of keys, never keys. "key new" makes a key and prints its secret once, with the \
            record to paste; "key hash" turns a secret you already have into its digest.
            """,
        subcommands: [
            KeyNewCommand.self, KeyHashCommand.self, KeyCreateCommand.self, KeyListCommand.self, KeyShowCommand.self,
            KeyUpdateCommand.self, KeyDisableCommand.self, KeyEnableCommand.self, KeyRotateCommand.self, KeyRevokeCommand.self,
        ])
}
