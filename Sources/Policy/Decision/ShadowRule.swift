/// A rule of a route that is only tried.
struct ShadowRule: Sendable {
    /// `authorize` or `authorize[1]`.
    let name: String
    let authorization: Authorization
}
