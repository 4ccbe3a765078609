/// Which realm a granted request is about.
final class GrantedRealm: Sendable {
    /// What the request names.
    let named: RequestRealm
    /// Nil where none follows from the request's head.
    let realm: String?

    init(_ named: RequestRealm, realm: String?) {
        self.named = named
        self.realm = realm
    }
}
