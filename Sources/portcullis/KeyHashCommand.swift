import ArgumentParser
import Core
import Gateway
import Policy

/// `portcullis key hash`
struct KeyHashCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "hash", abstract: "Print the digest of a secret read from standard input.",
        discussion: """
            For keys that callers already hold. The secret is read from standard input, so that it stands in no \
            process list and no shell history; one line end behind it is not part of it.

              portcullis key hash < secret.txt
              pass show acme/ci | portcullis key hash --json
              portcullis key hash --pepper env:KEY_PEPPER

            At a terminal it asks for the secret and does not show it.
            """)

    /// Below this a secret can be guessed from its digest.
    private static let shortLength = 16

    @Option(help: "Secret the digest is keyed with, env:NAME or file:PATH, as in the authenticator's \"pepper\".")
    var pepper: String?

    @Flag(help: "Print {\"sha256\": …, \"fingerprint\": …} instead of the member to paste.")
    var json = false

    @Flag(help: "Print the 64 digits alone, as portcullis key create --sha256 takes them.")
    var bare = false

    func run() throws {
        if bare, json { throw ValidationError("--bare and --json exclude each other") }
        let hasher = try KeyHasher(pepper: pepper)
        let secret = try SecretInput.read(prompt: "Secret, then Enter (it is not shown):")
        guard secret.count <= FixedBounds.apiKeyBytes else {
            Output.error(
                "a secret of \(secret.count) bytes is never accepted: keys have at most \(FixedBounds.apiKeyBytes) bytes")
            throw ExitCode(ExitStatus.unusable)
        }
        if secret.count < Self.shortLength {
            Output.error(
                "warning: a secret of \(secret.count) bytes can be guessed from its digest; "
                    + "make one with portcullis key new")
        }
        let digest = hasher.digest(of: secret.span).hex
        let name = hasher.member.rawValue
        if bare {
            Output.line(digest)
            return
        }
        Output.line(
            json ? "{\"\(name)\":\"\(digest)\",\"fingerprint\":\"\(digest.prefix(8))\"}" : "\"\(name)\": \"\(digest)\"")
    }
}
