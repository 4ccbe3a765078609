import ArgumentParser
import Core
import TokenService

/// `portcullis token …`
struct TokenCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "token", abstract: "Make tokens with the keys of the store, look at tokens, and manage those keys.",
        subcommands: [TokenMintCommand.self, TokenInspectCommand.self, TokenKeyCommand.self])
}

/// `portcullis token mint`
struct TokenMintCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "mint", abstract: "Make a token, signed by the newest key of a stored key set.",
        discussion: """
            The token carries sub, iat, exp and jti, and the claims that are given: as JSON, or as text where that is none.

              portcullis token mint --key-set own --subject ada --expires-in 1h --claim scope="orders:read"
              portcullis token mint --key-set own --subject usr_0351QZPeqUmgaGEmXfCYEl --claim 'ips=["10.0.0.0/8"]'
            """)

    @OptionGroup var store: StoreOptions

    @Option(help: "The key set, one with \"stored\": true.")
    var keySet: String

    @Option(help: "The sub claim.")
    var subject: String

    @Option(help: "How long the token is valid, as in 1h.")
    var expiresIn = "1h"

    @Option(help: "The realm whose key signs.")
    var realm: String?

    @Option(help: "A claim, NAME=VALUE; may be given several times.")
    var claim: [String] = []

    func run() throws {
        guard let lifetime = DurationText.parse(expiresIn), lifetime > 0 else {
            throw ValidationError("--expires-in \(expiresIn): \(DurationText.syntax) is expected")
        }
        let session = try store.session()
        defer { session.finish() }
        let token = try session.mint(
            keySet: keySet, realm: realm, subject: subject, lifetime: lifetime, claims: try claim.map(Self.member))
        if store.json {
            var record = RecordText()
            record.add("token", token)
            var bytes: [UInt8] = []
            record.append(to: &bytes, indent: nil)
            Output.line(String(decoding: bytes, as: UTF8.self))
        } else {
            Output.line(token)
        }
    }

    private static func member(_ text: String) throws -> JSONMember {
        guard let equals = text.firstIndex(of: "="), equals > text.startIndex else {
            throw ValidationError("--claim \(text): NAME=VALUE is expected")
        }
        let value = String(text[text.index(after: equals)...])
        let start = SourcePosition(line: 1, column: 1)
        let node = (try? JSONNode.parse(value.utf8.span)) ?? JSONNode(.string(value), at: start)
        return JSONMember(name: String(text[..<equals]), namePosition: start, node: node)
    }
}

/// `portcullis token inspect`
struct TokenInspectCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "inspect", abstract: "Show what a token says, and whether a key of the store signed it.",
        discussion: """
            The token is read from standard input, so that it stands in no shell history.

              portcullis token inspect < token.txt

            Ends with 1 when no key of the store signed it, or it is out of its time.
            """)

    @OptionGroup var store: StoreOptions

    func run() throws {
        let text = try SecretInput.read(prompt: "Token, then Enter (it is not shown):")
        let session = try store.session()
        defer { session.finish() }
        guard let found = session.inspect(text) else {
            Output.error("error: this is no token of three parts with a JSON header and JSON claims")
            throw ExitCode(ExitStatus.refused)
        }
        var record = RecordText()
        record.add(json: "header", found.header)
        record.add(json: "claims", found.claims)
        record.add("signed_by", found.key ?? "nobody known here")
        record.add("in_its_time", found.isInTime)
        var bytes: [UInt8] = []
        record.append(to: &bytes, indent: store.json ? nil : "")
        Output.line(String(decoding: bytes, as: UTF8.self))
        if found.key == nil || !found.isInTime { throw ExitCode(ExitStatus.refused) }
    }
}
