package import Core

extension Route {
    /// How long an answer that has begun may be without a byte either way, where neither route nor upstream asks for more.
    package static let standardIdleTimeout: Nanoseconds = .seconds(300)

    /// How long an answer that has begun may be without a byte either way; `.max` for ever. `bodyTimeout` is that of the
    /// upstream: one that waits longer than usual for content waits as long for the rest of an answer.
    package func idleTimeout(bodyTimeout: Nanoseconds) -> Nanoseconds {
        idleTimeout ?? max(Self.standardIdleTimeout, bodyTimeout)
    }
}
