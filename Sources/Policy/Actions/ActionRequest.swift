package import Core

/// A request that the policy let in to an action, whole: its content has arrived.
package struct ActionRequest: Sendable {
    package var action: ActionConfiguration
    package var route: Route
    package var identity: Identity
    /// Who the credentials shown beside that one stand for, on a route that asks for all of several: they confine what is done.
    package var others: [Identity]
    /// The address the request came from, behind the trusted proxies.
    package var client: IPAddress
    package var method: Method
    /// The path captures, percent-decoded; nil-safe to ask for any name.
    package var captures: [String: String]
    /// The raw query, without "?".
    package var query: [UInt8]
    /// The media type of Content-Type in lower case without parameters; nil when there is none.
    package var contentType: String?
    package var content: [UInt8]
    package var requestID: String
    package var now: ClockReading
    /// The realms the request names, but for its content; nil where the route knows none.
    package var realm: RequestRealm?
    package let interest = ActionInterest()

    package init(
        action: ActionConfiguration, route: Route, identity: Identity, others: [Identity] = [], client: IPAddress, method: Method,
        captures: [String: String], query: [UInt8], contentType: String?, content: [UInt8], requestID: String,
        now: ClockReading, realm: RequestRealm? = nil
    ) {
        self.action = action
        self.route = route
        self.identity = identity
        self.others = others
        self.client = client
        self.method = method
        self.captures = captures
        self.query = query
        self.contentType = contentType
        self.content = content
        self.requestID = requestID
        self.now = now
        self.realm = realm
    }
}
