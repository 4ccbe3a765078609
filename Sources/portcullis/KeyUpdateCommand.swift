import ArgumentParser
import Core

/// `portcullis key update`
struct KeyUpdateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "update", abstract: "Change what an API key of the store may do; its secret stays.",
        discussion: """
            What is not given stays as it is; "" empties a list.

              portcullis key update key_0351QZP1GJEsCi0JribTfn --scopes orders:read,orders:write --allow-ips ""
            """)

    @OptionGroup var store: StoreOptions
    @OptionGroup var key: KeyArguments

    @Option(help: "What people call the key.")
    var name: String?

    @Option(help: "Scopes the key has, separated by commas.", transform: commaSeparated)
    var scopes: [String]?

    @Option(help: "Addresses and networks the key may be used from, separated by commas.", transform: commaSeparated)
    var allowIps: [String]?

    @Option(help: "Limits that replace the route's for this key, separated by commas.", transform: commaSeparated)
    var limits: [String]?

    func run() throws {
        var content = RecordText()
        if let name { content.add("name", name) }
        for (member, list) in [("scopes", scopes), ("allow_ips", allowIps), ("limits", limits)] {
            if let list { content.add(member, list == [""] ? [] : list) }
        }
        guard !content.isEmpty else { throw ValidationError("one of --name, --scopes, --allow-ips and --limits is expected") }
        try key.update(content, store)
    }
}

/// `portcullis key disable`
struct KeyDisableCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "disable", abstract: "Refuse an API key, and every token that was made with it, until it is enabled again.")

    @OptionGroup var store: StoreOptions
    @OptionGroup var key: KeyArguments

    func run() throws { try key.setEnabled(false, store) }
}

/// `portcullis key enable`
struct KeyEnableCommand: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "enable", abstract: "Take an API key again.")

    @OptionGroup var store: StoreOptions
    @OptionGroup var key: KeyArguments

    func run() throws { try key.setEnabled(true, store) }
}

extension KeyArguments {
    fileprivate func setEnabled(_ isEnabled: Bool, _ store: StoreOptions) throws {
        var content = RecordText()
        content.add("enabled", isEnabled)
        try update(content, store)
    }

    fileprivate func update(_ content: RecordText, _ store: StoreOptions) throws {
        let session = try store.session()
        defer { session.finish() }
        store.show(try session.call(session.keys(authenticator), .patch, item: id, content: content, of: "api_key"))
    }
}
