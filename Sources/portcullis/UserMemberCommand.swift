import ArgumentParser
import Core
import Policy

/// `portcullis user member …`
struct UserMemberCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "member", abstract: "Memberships of users in organizations and projects.",
        subcommands: [UserMemberAddCommand.self, UserMemberRemoveCommand.self, UserMemberListCommand.self])
}

/// `portcullis user member add`
struct UserMemberAddCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "add", abstract: "Make a user a member of an organization, or of one project of it.",
        discussion: """
              portcullis user member add ada@example.com acme
              portcullis user member add ada@example.com acme/warehouse --role admin --create
            """)

    @OptionGroup var store: StoreOptions
    @OptionGroup var place: MembershipArguments

    @Option(help: "The role, as routes ask for it.")
    var role = "member"

    @Flag(help: "Make the organization and the project where they are missing.")
    var create = false

    func run() throws {
        let session = try store.session()
        defer { session.finish() }
        let identity = try place.resolve(session, create: create)
        var content = RecordText()
        content.add("user_id", identity.user)
        content.add("organization_id", identity.organization)
        if let project = identity.project { content.add("project_id", project) }
        content.add("role", role)
        let configuration = ManagementConfiguration(resource: .memberships)
        store.show(try session.call(configuration, .post, content: content, of: "membership"))
    }
}

/// `portcullis user member remove`
struct UserMemberRemoveCommand: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "remove", abstract: "End a membership, at once.")

    @OptionGroup var store: StoreOptions
    @OptionGroup var place: MembershipArguments

    func run() throws {
        let session = try store.session()
        defer { session.finish() }
        let identity = try place.resolve(session, create: false)
        let id = [identity.user, identity.organization, identity.project].compactMap { $0 }.joined(separator: ".")
        store.show(try session.call(ManagementConfiguration(resource: .memberships), .delete, item: id))
    }
}

/// `portcullis user member list`
struct UserMemberListCommand: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "list", abstract: "List memberships.")

    @OptionGroup var store: StoreOptions

    @Option(help: "Of this user alone, by e-mail address or id.")
    var user: String?

    func run() throws {
        let session = try store.session()
        defer { session.finish() }
        let id = try user.map { try session.user($0) }
        let records = try session.all(ManagementConfiguration(resource: .memberships), query: [("user_id", id)])
        store.show(records, columns: ["user_id", "organization_id", "project_id", "role"])
    }
}

/// Who belongs where.
struct MembershipArguments: ParsableArguments {
    @Argument(help: "The user's e-mail address or id.")
    var user: String

    @Argument(help: "The slug of the organization, or ORGANIZATION/PROJECT.")
    var place: String

    /// The ids of all three.
    func resolve(_ session: StoreSession, create: Bool) throws -> (user: String, organization: String, project: String?) {
        let slugs = place.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        guard 1...2 ~= slugs.count, !slugs.contains("") else {
            throw ValidationError("\(place): ORGANIZATION or ORGANIZATION/PROJECT is expected")
        }
        let user = try session.user(user)
        let organization = try record(.organizations, "organization", slugs[0], nil, session, create: create)
        guard slugs.count > 1 else { return (user, organization, nil) }
        return (user, organization, try record(.projects, "project", slugs[1], organization, session, create: create))
    }

    private func record(
        _ resource: ManagementConfiguration.Resource, _ name: String, _ slug: String, _ organization: String?,
        _ session: StoreSession, create: Bool
    ) throws -> String {
        let configuration = ManagementConfiguration(resource: resource)
        let found = try session.call(configuration, .get, query: [("slug", slug), ("organization_id", organization)])
        if case .array(let nodes)? = found["collection"]?.value, let id = nodes.first?.text("id") { return id }
        guard create else {
            Output.error("error: there is no \(name) \(slug); --create makes it")
            throw ExitCode(ExitStatus.refused)
        }
        var content = RecordText()
        content.add("slug", slug)
        if let organization { content.add("organization_id", organization) }
        return try session.call(configuration, .post, content: content, of: name).text("id") ?? ""
    }
}
