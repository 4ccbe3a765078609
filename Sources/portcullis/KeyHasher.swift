import ArgumentParser
import Core
import Crypto
import Gateway
import Policy

/// Turns secrets into the digests that records hold: SHA-256, or HMAC-SHA-256 with a pepper.
struct KeyHasher {
    private let pepper: [UInt8]?

    /// `pepper` is a reference as on the command line, `env:NAME` or `file:PATH`.
    init(pepper: String?) throws {
        guard let pepper else {
            self.pepper = nil
            return
        }
        guard let reference = SecretSource.reference(pepper) else {
            throw ValidationError("--pepper: env:NAME or file:PATH is expected, never the pepper itself")
        }
        do throws(LocalFileFault) {
            self.pepper = try SecretSource.read(reference)
        } catch {
            throw ValidationError("--pepper: \(error.message)")
        }
    }

    /// The member of a record that the digest belongs to.
    var member: APIKeyRecordParser.DigestMember { pepper == nil ? .sha256 : .hmacSHA256 }

    func digest(of secret: Span<UInt8>) -> Digest256 {
        let cryptography = OpenSSLCryptography()
        guard let pepper else { return cryptography.sha256(secret) }
        return cryptography.hmacSHA256(key: pepper.span, secret)
    }
}
