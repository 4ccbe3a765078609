package import Core
package import Policy
import Store

/// Why an action was not carried out.
package struct ActionRefusal: Error, Sendable {
    package var denial: Denial
    /// What is wrong in particular, one sentence each.
    package var messages: [String]
    /// How long to wait before another try makes sense.
    package var retryAfter: Nanoseconds?

    package init(_ denial: Denial, messages: [String] = [], retryAfter: Nanoseconds? = nil) {
        self.denial = denial
        self.messages = messages
        self.retryAfter = retryAfter
    }

    package var outcome: ActionOutcome { .refuse(denial, messages: messages, retryAfter: retryAfter) }
}
