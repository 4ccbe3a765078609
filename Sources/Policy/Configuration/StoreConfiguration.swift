package import Core

/// Where the gateway keeps what it issues and manages itself.
package struct StoreConfiguration: Sendable, Equatable {
    /// Path of the database, relative to the directory of the policy file.
    package var sqlite: Located<String>
    /// What secrets in it are encrypted with; nil stores none.
    package var encryptionKey: Located<SecretReference>?
    package var position: SourcePosition

    package init(sqlite: Located<String>, encryptionKey: Located<SecretReference>?, position: SourcePosition) {
        self.sqlite = sqlite
        self.encryptionKey = encryptionKey
        self.position = position
    }
}
