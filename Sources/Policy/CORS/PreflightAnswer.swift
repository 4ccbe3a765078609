package import Core

/// A preflight that the gateway answers. A class, so that a decision stays small.
package final class PreflightAnswer: Sendable {
    /// The route that the request asked about would take; nil where none would, and the top-level `cors` answers.
    package let route: Route?
    /// The address the request came from, behind the trusted proxies.
    package let client: IPAddress
    let rule: CORSRule
    /// Place of the routes of the best pattern in the route table; nil where no pattern fits.
    let leaf: Int?
    let preflight: Preflight

    init(_ preflight: Preflight, route: Route?, rule: CORSRule, leaf: Int?, client: IPAddress) {
        self.preflight = preflight
        self.route = route
        self.rule = rule
        self.leaf = leaf
        self.client = client
    }
}
