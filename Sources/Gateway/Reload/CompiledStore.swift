package import Store

/// Where the gateway keeps what it issues, ready to be opened.
package struct CompiledStore: Sendable {
    /// As the operating system takes it.
    package var path: String
    package var encryptionKey: EncryptionKey?

    /// Opens it, making it where it is missing.
    package func open() throws(StoreFault) -> any CredentialStore {
        try SQLiteStore(path: path, encryptionKey: encryptionKey)
    }

    /// What is wrong with it; nil when it can be read, or is not there yet and will be made.
    func fault() -> StoreFault? {
        guard FileIdentity(path: path) != nil else { return nil }
        do throws(StoreFault) {
            _ = try open().contents()
            return nil
        } catch {
            return error
        }
    }
}
