/// One difference between two policies.
package struct PolicyChange: Sendable, Equatable {
    package enum Kind: String, Sendable { case added, removed, changed }

    package var kind: Kind
    /// What changed, as in `route devices` or `limit gold`.
    package var subject: String
    /// In words, as a sentence that goes on from the subject.
    package var text: String
    /// Where the new policy says so; for what was removed, where the old one did.
    package var rule: RuleReference
}

extension PolicyChange: CustomStringConvertible {
    /// `route devices: now also asks for the scope "devices:write"`
    package var description: String { "\(subject): \(text)" }
}
