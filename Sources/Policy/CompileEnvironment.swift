package import Core

/// What compiling a policy needs from outside: all input and output is on the other side of it.
package protocol CompileEnvironment {
    var cryptography: any Cryptography { get }
    /// Of the route table, and of what traces are continued with.
    var hashSeed: HashSeed { get }
    /// The policy file as the operator named it, for diagnostics.
    var fileName: String { get }
    /// The bytes of a secret, never empty.
    func secret(_ reference: SecretReference) throws(CompileFault) -> [UInt8]
    /// Reads a file in chunks. A fault that `take` throws ends the reading and is thrown on.
    func read(file path: String, take: (Span<UInt8>) throws(CompileFault) -> Void) throws(CompileFault)
    /// The place of a key set, the same one over reloads while its configuration is the same. Keys of a local file or
    /// of the policy itself are installed in it; keys from a URL may come later.
    func keySetCell(named name: String, configuration: KeySetConfiguration) throws(CompileFault) -> KeySetCell
}
