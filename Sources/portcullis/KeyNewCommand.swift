import ArgumentParser
import CLinux
import Core
import Crypto
import Gateway
import Policy

/// `portcullis key new`
struct KeyNewCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "new", abstract: "Make an API key: prints its secret once, and the record to paste.",
        discussion: """
            The secret is the prefix and 128 random bits as 22 letters and digits. It is printed once and kept \
            nowhere; the record holds its digest only.

            A key for a build server, valid for a quarter of a year:

              portcullis key new --prefix acme --id ci --scopes orders:read --expires-in 90d

            Usable from one network only, with a limit of its own, as one line for a keys file:

              portcullis key new --id probe --allow-ips 10.0.0.0/8 --limits gold --json

            Digests with a pepper, so that a stolen gateway.json cannot be tried against guessed keys:

              portcullis key new --id ci --pepper env:KEY_PEPPER
            """)

    @Option(help: "What the secret begins with, before an underscore: up to 16 letters and digits.")
    var prefix = "key"

    @Option(help: "Name of the key in logs, metrics and headers; made from the digest when not given.")
    var id: String?

    @Option(help: "Who the key stands for; the id when not given.")
    var subject: String?

    @Option(help: "Scopes the key has, separated by commas.", transform: commaSeparated)
    var scopes: [String] = []

    @Option(help: "Addresses and blocks the key may be used from, separated by commas.", transform: commaSeparated)
    var allowIps: [String] = []

    @Option(help: "Limits that replace the route's for this key, separated by commas.", transform: commaSeparated)
    var limits: [String] = []

    @Option(help: "How long the key is valid from now, as in 90d or 12h; for ever when not given.")
    var expiresIn: String?

    @Option(help: "Secret the digest is keyed with, env:NAME or file:PATH, as in the authenticator's \"pepper\".")
    var pepper: String?

    @Flag(help: "Print {\"secret\": …, \"record\": {…}} on one line.")
    var json = false

    func run() throws {
        let hasher = try KeyHasher(pepper: pepper)
        guard let key = NewAPIKey(prefix: prefix + "_", random: (SecureRandom.word(), SecureRandom.word())) else {
            throw ValidationError("--prefix \(prefix): 1 to 16 letters and digits are expected")
        }
        let secret = String(decoding: key.text, as: UTF8.self)
        let digest = hasher.digest(of: secret.utf8.span)
        let record = try record(digest: digest, member: hasher.member)
        try validate(record, hasher.member)
        var bytes: [UInt8] = []
        if json {
            bytes.append("{\"secret\":")
            bytes.append(jsonString: secret)
            bytes.append(",\"fingerprint\":")
            bytes.append(jsonString: String(digest.hex.prefix(8)))
            bytes.append(",\"record\":")
            record.append(to: &bytes, indent: nil)
            bytes.append("}")
            Output.line(String(decoding: bytes, as: UTF8.self))
            return
        }
        record.append(to: &bytes, indent: "  ")
        Output.line(
            """
            Secret, shown this once; hand it to the caller:

              \(secret)

            Record, for "keys" in gateway.json (with --json as one line for a keys file):

            \(String(decoding: bytes, as: UTF8.self))

            Access logs name the key by its id and the fingerprint \(digest.hex.prefix(8)).
            """)
    }

    private func record(digest: Digest256, member: APIKeyRecordParser.DigestMember) throws -> RecordText {
        var record = RecordText()
        record.add("id", id ?? "\(prefix)-\(digest.hex.prefix(8))")
        record.add(member.rawValue, digest.hex)
        if let subject { record.add("subject", subject) }
        if !scopes.isEmpty { record.add("scopes", scopes) }
        if !allowIps.isEmpty { record.add("allow_ips", allowIps) }
        if !limits.isEmpty { record.add("limits", limits) }
        if let expiresIn {
            guard let span = DurationText.parse(expiresIn), span > 0 else {
                throw ValidationError("--expires-in \(expiresIn): \(DurationText.syntax) is expected")
            }
            let end = WallTime(nanoseconds: linux_realtime_ns()).advanced(by: span)
            record.add("expires_at", Self.wholeSeconds(end))
        }
        return record
    }

    /// A time without its fraction: `2027-01-01T00:00:00Z`.
    private static func wholeSeconds(_ time: WallTime) -> String {
        var bytes: [UInt8] = []
        bytes.append(rfc3339: time)
        return String(decoding: bytes.prefix(19), as: UTF8.self) + "Z"
    }

    /// What is printed must be what the gateway takes.
    private func validate(_ record: RecordText, _ member: APIKeyRecordParser.DigestMember) throws {
        var bytes: [UInt8] = []
        record.append(to: &bytes, indent: nil)
        let node = try JSONNode.parse(bytes.span)
        var errors: [APIKeyRecordError] = []
        _ = APIKeyRecordParser(digestMember: member).parse(node, path: "", errors: &errors)
        if let first = errors.first { throw ValidationError("\(first.path): \(first.message)") }
    }
}
