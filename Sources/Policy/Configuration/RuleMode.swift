/// Whether a rule refuses, or only says what it would have refused.
package enum RuleMode: String, Sendable, CaseIterable {
    case enforce
    /// The rule is asked and counted, and its refusals let the request pass.
    case shadow
}
