import Core
import Crypto
package import Policy
import TokenService

/// Where audit events go, everything that the policy names for it at hand.
package struct CompiledAudit: Sendable {
    /// A receiver of events.
    struct Webhook: Sendable {
        var url: String
        var signature: WebhookSignature
        /// There exactly when the URL is one of https.
        var security: CompiledClientTLS?
        var timeout: Nanoseconds
        var attempts: Int
    }

    /// Nil takes the gateway's own messages. A file's path is as the operating system takes it.
    package var log: AccessLogDestination?
    var webhook: Webhook?

    package init() {}
}
