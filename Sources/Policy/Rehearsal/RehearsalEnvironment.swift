package import Core

/// What a policy is compiled with to be rehearsed: the files of another environment, and key sets that also trust a key
/// which is thrown away afterwards. Nothing is fetched; a key set from elsewhere holds that key alone.
package struct RehearsalEnvironment<Base: CompileEnvironment>: CompileEnvironment {
    /// The `kid` of the tests' tokens.
    static var kid: String { "portcullis-rehearsal" }

    private let base: Base
    private let now: ClockReading
    let key: RehearsalKey
    package let cryptography: any Cryptography

    package init(_ base: Base, now: ClockReading) {
        self.base = base
        self.now = now
        cryptography = RehearsalCryptography(base.cryptography)
        key = RehearsalKey(base.cryptography)
    }

    package var hashSeed: HashSeed { base.hashSeed }
    package var fileName: String { base.fileName }

    package func secret(_ reference: SecretReference) throws(CompileFault) -> [UInt8] { try base.secret(reference) }

    package func read(file path: String, take: (Span<UInt8>) throws(CompileFault) -> Void) throws(CompileFault) {
        try base.read(file: path, take: take)
    }

    package func keySetCell(
        named name: String, configuration: KeySetConfiguration
    ) throws(CompileFault) -> KeySetCell {
        let known = try base.keySetCell(named: name, configuration: configuration)
        let cell = KeySetCell(name: name, isRemote: false)
        let set = known.isRemote ? nil : known.current(now: now.instant)?.set
        cell.install(key.keySet(kid: Self.kid, beside: set), now: now, freshFor: nil)
        return cell
    }
}
