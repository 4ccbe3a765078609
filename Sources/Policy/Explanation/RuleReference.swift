package import Core

/// Where a rule of the policy stands.
package struct RuleReference: Sendable, Equatable {
    package var file: String
    /// As in `routes[3].authorize.scopes[0]`; empty for the document itself.
    package var path: String
    package var position: SourcePosition
}

extension RuleReference: CustomStringConvertible {
    /// `gateway.json:41:9`
    package var description: String { "\(file):\(position.line):\(position.column)" }
}
