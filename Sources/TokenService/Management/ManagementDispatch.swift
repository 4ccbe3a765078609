import Policy

/// From a call to the resource it is about.
package enum ManagementDispatch {
    static func decide(_ prepared: PreparedCall, in context: ManagementContext) throws(ActionRefusal) -> ManagementDecision {
        let call = prepared.call
        switch call.configuration.resource {
        case .apiKeys: return try APIKeyResource(context: context, call: call).decide(prepared)
        case .jwtKeys: return try JWTKeyResource(context: context, call: call).decide(prepared)
        case .users: return try UserResource(context: context, call: call).decide(prepared)
        case .organizations: return try OrganizationResource(context: context, call: call).decide(prepared)
        case .projects: return try ProjectResource(context: context, call: call).decide(prepared)
        case .memberships: return try MembershipResource(context: context, call: call).decide(prepared)
        }
    }
}
