/// Why nothing can be explained: one line, without a full stop.
package struct ExplainFault: Error, Equatable, Sendable {
    package var message: String

    package init(_ message: String) { self.message = message }
}
