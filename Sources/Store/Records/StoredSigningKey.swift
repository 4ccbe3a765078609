package import Core

/// A key that the gateway signs tokens with. Its material is encrypted at rest and clear in memory.
package struct StoredSigningKey: Sendable, Equatable {
    package var id: String
    /// Name of the key set it belongs to.
    package var keySet: String
    package var realm: String?
    /// HS256, HS384, HS512, or RS256.
    package var algorithm: SignatureAlgorithm
    /// The secret of an HS algorithm, or the PKCS #8 private key in DER form.
    package var material: [UInt8]
    package var createdAt: WallTime
    /// Set once it was replaced: it signs no more, still verifies, and is removed at this time.
    package var removedAt: WallTime?

    package init(
        id: String, keySet: String, realm: String?, algorithm: SignatureAlgorithm, material: [UInt8], createdAt: WallTime,
        removedAt: WallTime? = nil
    ) {
        self.id = id
        self.keySet = keySet
        self.realm = realm
        self.algorithm = algorithm
        self.material = material
        self.createdAt = createdAt
        self.removedAt = removedAt
    }
}
