import Core
import Crypto
import Synchronization
import Testing

@testable import Policy

/// Tokens, keys and verifiers made for these tests.
enum Sample {
    static let cryptography = OpenSSLCryptography()
    static let issuer = "https://issuer.test"
    static let secret = "a secret of thirty-two bytes, ok"
    static let header = #"{"alg":"HS256","kid":"k"}"#
    /// A moment inside the life of `payload`.
    static let now = clock(1_800_000_000)
    static let payload =
        #"{"iss":"https://issuer.test","aud":"gateway","sub":"alice","iat":1799999990,"exp":1800000100}"#

    static func clock(_ seconds: Int64) -> ClockReading {
        ClockReading(instant: Instant(nanoseconds: seconds * 1_000_000_000), wall: WallTime(seconds: seconds))
    }

    /// A token signed with HS256.
    static func token(_ payload: String = payload, header: String = header, secret: String = secret) -> [UInt8] {
        var token = encoded(header) + [0x2E] + encoded(payload)
        let code = cryptography.hmacSHA256(key: secret.utf8.span, token.span)
        var bytes: [UInt8] = []
        for word in [code.a, code.b, code.c, code.d] {
            for shift in stride(from: 56, through: 0, by: -8) {
                bytes.append(UInt8(truncatingIfNeeded: word >> UInt64(shift)))
            }
        }
        token.append(0x2E)
        token += Array(Base64URL.encode(bytes.span).utf8)
        return token
    }

    static func encoded(_ text: String) -> [UInt8] { Array(Base64URL.encode(text.utf8.span).utf8) }

    /// A JWKS element of the shared secret.
    static func key(kid: String = "k", secret: String = secret, more: String = "") -> String {
        #"{"kty":"oct","kid":"\#(kid)","k":"\#(Base64URL.encode(secret.utf8.span))"\#(more)}"#
    }

    static func keySet(_ keys: String...) throws -> KeySet {
        let text = "{\"keys\":[\(keys.joined(separator: ","))]}"
        return try KeySet.parse(text.utf8.span, isLocal: true, cryptography: cryptography)
    }

    static func cell(_ set: KeySet?, isRemote: Bool = false, cooldown: Nanoseconds = .seconds(30)) -> KeySetCell {
        let cell = KeySetCell(name: "issuer", isRemote: isRemote, cooldown: cooldown, staleLimit: .seconds(3600))
        if let set { cell.install(set, now: now, freshFor: isRemote ? .seconds(600) : nil) }
        return cell
    }

    static func configuration(_ change: (inout JWTAuthenticatorConfiguration) -> Void = { _ in })
        -> JWTAuthenticatorConfiguration
    {
        var configuration = JWTAuthenticatorConfiguration(
            keySet: Located("issuer", at: SourcePosition(line: 1, column: 1), path: "authenticators.jwt.key_set"))
        configuration.issuers = [issuer]
        configuration.audiences = ["gateway"]
        configuration.leeway = 0
        change(&configuration)
        return configuration
    }

    static func verifier(
        _ cell: KeySetCell? = nil, name: String = "jwt",
        _ change: (inout JWTAuthenticatorConfiguration) -> Void = { _ in }
    ) throws -> JWTVerifier {
        try JWTVerifier(
            name: name, configuration: configuration(change), keySet: try cell ?? self.cell(keySet(key())),
            cryptography: cryptography)
    }
}

extension JWTVerifier {
    /// The verdict on a token.
    func judge(_ token: [UInt8], at now: ClockReading = Sample.now) -> TokenVerdict { verify(token.span, now: now) }
}

extension TokenVerdict {
    var token: VerifiedToken? {
        if case .verified(let token) = self { return token }
        return nil
    }

    /// What the token is refused with when nobody waits.
    var fault: TokenFault? {
        switch self {
        case .verified, .notMine: nil
        case .refused(let fault): fault
        case .unknownKey(_, _, let fault): fault
        }
    }

    var isNotMine: Bool {
        if case .notMine = self { return true }
        return false
    }

    var isUnknownKey: Bool {
        if case .unknownKey = self { return true }
        return false
    }
}

/// A key that counts how often it is asked.
final class CountingKey: VerificationKey {
    private let key: any VerificationKey
    private let counter = Atomic<Int>(0)
    var count: Int { counter.load(ordering: .relaxed) }
    var algorithms: [SignatureAlgorithm] { key.algorithms }
    var bits: Int { key.bits }

    init(secret: String = Sample.secret) throws {
        key = try Sample.cryptography.verificationKey(from: .symmetric(Array(secret.utf8)))
    }

    func verifies(_ signature: Span<UInt8>, of message: Span<UInt8>, using algorithm: SignatureAlgorithm) -> Bool {
        counter.add(1, ordering: .relaxed)
        return key.verifies(signature, of: message, using: algorithm)
    }

    /// A key set of this key; `fingerprint` tells one from another.
    func keySet(fingerprint: UInt64 = 0) -> KeySet {
        KeySet(
            keys: [KeySet.Key(kid: "k", algorithms: algorithms, verification: self)], skipped: [],
            fingerprint: Digest256(fingerprint, 0, 0, 0))
    }
}
