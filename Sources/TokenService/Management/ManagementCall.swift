package import Core
package import Policy

/// A request to what the store keeps: list, look up, make, change or remove records of one kind.
package struct ManagementCall: Sendable {
    package var configuration: ManagementConfiguration
    package var caller: ManagementCaller
    package var method: Method
    /// The id in the path; nil for the collection.
    package var item: String?
    /// What to do with the item beyond changing it: "rotate", "sign_out".
    package var operation: String?
    /// The slug in the path that records are confined to.
    package var organization: String?
    /// The realm where the request names none; once the call is prepared the one that it is about.
    package var realm: String?
    /// What the request names in the ways of its route; nil where the route has none.
    package var requestRealm: RequestRealm?
    /// The raw query, without "?".
    package var query: [UInt8]
    /// The media type in lower case without parameters.
    package var contentType: String?
    package var content: [UInt8]
    package var now: WallTime
    /// Whose turn the call waits for: that of the administrator, but for requests to routes.
    package var requester = Requester.administrator
    /// Of the client; nil for one that is always answered.
    package var interest: ActionInterest?

    package init(
        configuration: ManagementConfiguration, caller: ManagementCaller, method: Method, item: String? = nil,
        operation: String? = nil, organization: String? = nil, realm: String? = nil, query: [UInt8] = [],
        contentType: String? = nil, content: [UInt8] = [], now: WallTime
    ) {
        self.configuration = configuration
        self.caller = caller
        self.method = method
        self.item = item
        self.operation = operation
        self.organization = organization
        self.realm = realm
        self.query = query
        self.contentType = contentType
        self.content = content
        self.now = now
    }
}
