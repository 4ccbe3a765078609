import ArgumentParser

/// `portcullis key list`
struct KeyListCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "List the API keys that the store keeps.",
        discussion: """
            Keys that nobody has used for a quarter of a year, to be removed:

              portcullis key list --unused-for 90d

            Keys that are to be rotated, since their secret is as old:

              portcullis key list --older-than 90d
            """)

    @OptionGroup var store: StoreOptions

    @Option(help: "The authenticator whose keys are listed; the one with \"stored\": true where there is only one.")
    var authenticator: String?

    @Option(help: "Keys of this user alone, by e-mail address or id.")
    var user: String?

    @Option(help: "Keys that were not used for this long, as in 90d.")
    var unusedFor: String?

    @Option(help: "Keys that were made, or rotated last, this long ago, as in 90d.")
    var olderThan: String?

    func run() throws {
        let session = try store.session()
        defer { session.finish() }
        let owner = try user.map { try session.user($0) }
        let query = [("user_id", owner), ("unused_for", unusedFor), ("older_than", olderThan)]
        let records = try session.all(session.keys(authenticator), query: query)
        store.show(records, columns: ["id", "name", "user_id", "scopes", "enabled", "age_days", "last_used_at"])
    }
}
