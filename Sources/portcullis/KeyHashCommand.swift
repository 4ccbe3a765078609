import ArgumentParser
import Core
import Gateway
import Policy

private import Glibc

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

    /// Longer input is a mistake.
    private static let byteLimit = 65_536
    /// Below this a secret can be guessed from its digest.
    private static let shortLength = 16

    @Option(help: "Secret the digest is keyed with, env:NAME or file:PATH, as in the authenticator's \"pepper\".")
    var pepper: String?

    @Flag(help: "Print {\"sha256\": …, \"fingerprint\": …} instead of the member to paste.")
    var json = false

    func run() throws {
        let hasher = try KeyHasher(pepper: pepper)
        let secret = try Self.readSecret()
        if secret.count < Self.shortLength {
            Output.error(
                "warning: a secret of \(secret.count) bytes can be guessed from its digest; "
                    + "make one with portcullis key new")
        }
        let digest = hasher.digest(of: secret.span).hex
        let name = hasher.member.rawValue
        Output.line(
            json ? "{\"\(name)\":\"\(digest)\",\"fingerprint\":\"\(digest.prefix(8))\"}" : "\"\(name)\": \"\(digest)\"")
    }

    private static func readSecret() throws -> [UInt8] {
        let isTerminal = isatty(STDIN_FILENO) == 1
        var before = termios()
        if isTerminal {
            Output.error("Secret, then Enter (it is not shown):")
            unsafe tcgetattr(STDIN_FILENO, &before)
            var silent = before
            silent.c_lflag &= ~tcflag_t(ECHO)
            unsafe tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent)
        }
        defer { if isTerminal { unsafe tcsetattr(STDIN_FILENO, TCSAFLUSH, &before) } }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 4096)
        while true {
            let count = unsafe read(STDIN_FILENO, &chunk, chunk.count)
            guard count > 0 else { break }
            bytes += chunk.prefix(count)
            guard bytes.count <= byteLimit else { throw ValidationError("more than \(byteLimit) bytes are no secret") }
            if isTerminal, bytes.last == 0x0A { break }
        }
        if bytes.last == 0x0A { bytes.removeLast() }
        if bytes.last == 0x0D { bytes.removeLast() }
        guard !bytes.isEmpty else { throw ValidationError("standard input holds no secret") }
        return bytes
    }
}
