/// Bounds of one API key record; above them the record is refused.
package enum APIKeyBounds {
    package static let idBytes = 255
    package static let subjectBytes = 1024
    package static let scopeBytes = 255
    package static let scopes = 256
    package static let addressBlocks = 1024
    package static let secrets = 16
    /// One line of a keys file.
    package static let lineBytes = 65_536
    /// Records of one authenticator.
    package static let records = 50_000_000
}
