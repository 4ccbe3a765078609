package struct ManagementConfiguration: Sendable {
    /// What the route manages.
    package enum Resource: String, Sendable, CaseIterable {
        case apiKeys = "api_keys"
        case jwtKeys = "jwt_keys"
        case users = "users"
        case organizations = "organizations"
        case projects = "projects"
        case memberships = "memberships"
    }

    package var resource: Resource

    package init(resource: Resource) {
        self.resource = resource
    }
}
