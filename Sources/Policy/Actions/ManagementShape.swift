/// How the contents and answers of a `manage` action look, so that the clients of another system find what they know.
package struct ManagementShape: Sendable, Equatable {
    /// How a list is answered.
    package enum List: Sendable, Equatable {
        /// The records alone. A client that wants more than one page asks for what is after the last record it has seen.
        case array
        /// The records in the member `items`; the member `more` says whether others follow.
        case object(items: String, more: String)
    }

    /// What members are called, by our names. A member that is not among them is neither taken nor shown. Nil has them all, under
    /// our names.
    package var members: [String: String]?
    /// Contents have their members in an object named after the record: `{"api_key": {"name": "ci"}}`. Otherwise at the top.
    package var isWrapped = true
    package var list = List.object(items: "collection", more: "more_results")
    /// The statuses of answers; 204 has no content.
    package var createdStatus = 201
    package var updatedStatus = 200
    package var deletedStatus = 202

    package init() {}

    /// What the system calls a member; nil where it has none of the kind.
    package func name(of member: String) -> String? {
        if let members { members[member] } else { member }
    }
}

extension ManagementConfiguration.Resource {
    /// The members of contents and answers.
    package var members: [String] {
        switch self {
        case .apiKeys:
            [
                "id", "name", "key", "subject", "user_id", "scopes", "allow_ips", "limits", "realm", "enabled", "created_at", "age_days",
                "last_used_at", "use_count", "secrets", "expires_in", "overlap",
                "sha256", "hmac_sha256",
            ]
        case .jwtKeys: ["id", "algo", "expired", "key", "private_key", "realm_id", "use"]
        case .users: ["id", "email", "name", "scopes", "enabled", "has_password", "created_at", "password", "current_password"]
        case .organizations: ["id", "slug", "name"]
        case .projects: ["id", "organization_id", "slug", "name"]
        case .memberships: ["id", "user_id", "organization_id", "project_id", "role"]
        }
    }

    /// Those without which no record could be made or found again.
    package var indispensableMembers: [String] {
        switch self {
        case .apiKeys: ["id", "key"]
        case .jwtKeys: ["id", "algo", "use"]
        case .users: ["id", "email"]
        case .organizations, .projects: ["id", "slug"]
        case .memberships: ["id", "user_id"]
        }
    }
}
