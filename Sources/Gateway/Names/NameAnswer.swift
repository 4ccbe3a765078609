package import Core

/// What is known of the addresses behind a host name.
package struct NameAnswer: Equatable, Sendable {
    /// As last resolved; empty until the name has been resolved once. A failed lookup keeps them.
    package var addresses: [IPAddress]
    /// Why the last lookup failed, in one line; nil after a success.
    package var failure: String?

    package init(addresses: [IPAddress], failure: String? = nil) {
        self.addresses = addresses
        self.failure = failure
    }
}
