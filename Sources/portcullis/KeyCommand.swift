import ArgumentParser

/// `portcullis key …`
struct KeyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "key", abstract: "Make API keys, and digests of keys you have.",
        discussion: """
            gateway.json holds digests of keys, never keys. "key new" makes a key and prints its secret once, with the \
            record to paste; "key hash" turns a secret you already have into its digest.
            """,
        subcommands: [KeyNewCommand.self, KeyHashCommand.self])
}
