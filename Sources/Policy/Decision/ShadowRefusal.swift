/// What a rule in shadow mode would have done with a request that it let pass.
package struct ShadowRefusal: Sendable, Equatable {
    /// `limits.NAME`, `authorize`, `authorize[1]`, or `route` where the whole route is in shadow mode.
    package let rule: String
    package let denial: Denial

    package init(rule: String, denial: Denial) {
        self.rule = rule
        self.denial = denial
    }

    /// The name of the rule that is a whole route.
    static let wholeRoute = "route"
}
