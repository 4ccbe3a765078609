package import Core

/// Where changes of what the store keeps are told.
package struct AuditConfiguration: Sendable, Equatable {
    /// Nil takes the gateway's own messages.
    package var log: AccessLogDestination?
    package var webhook: WebhookConfiguration?

    package init() {}
}

/// A receiver of audit events by signed POST.
package struct WebhookConfiguration: Sendable, Equatable {
    package var url: Located<String>
    /// What contents are signed with.
    package var secret: Located<SecretReference>
    /// Certificates in PEM form that vouch for the receiver; nil for the system's.
    package var ca: Located<SecretReference>?
    /// For one delivery.
    package var timeout: Nanoseconds = .seconds(5)
    /// Deliveries of one event, the first one included, before it is given up.
    package var attempts = 8
    package var position: SourcePosition

    package init(url: Located<String>, secret: Located<SecretReference>, position: SourcePosition) {
        self.url = url
        self.secret = secret
        self.position = position
    }
}
