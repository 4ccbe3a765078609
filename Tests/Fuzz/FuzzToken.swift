// modules: Core Policy
// Any bytes as a token, and any two texts as its header and payload under a key that takes every signature: no trap; what
// passes holds nothing that could end a header line; the cache gives the verdict that is given without it.

import Core
import Policy

final class CredulousKey: VerificationKey {
    let algorithms: [SignatureAlgorithm] = SignatureAlgorithm.allCases
    let bits = 2048

    func verifies(_ signature: Span<UInt8>, of message: Span<UInt8>, using algorithm: SignatureAlgorithm) -> Bool { true }
}

struct NoCryptography: Cryptography {
    func sha256(_ bytes: Span<UInt8>) -> Digest256 { Digest256(0, 0, 0, 0) }
    func hmacSHA256(key: Span<UInt8>, _ bytes: Span<UInt8>) -> Digest256 { Digest256(0, 0, 0, 0) }
    func verificationKey(from material: KeyMaterial) throws(KeyMaterialError) -> any VerificationKey { CredulousKey() }
    func verificationKeys(fromPEM text: Span<UInt8>) throws(KeyMaterialError) -> [any VerificationKey] { [CredulousKey()] }
}

enum Gate {
    static let now = ClockReading(instant: Instant(nanoseconds: 0), wall: WallTime(seconds: 1_800_000_000))

    static func table() -> IssuerTable {
        let rules = JWTAuthenticatorConfiguration(
            keySet: Located("keys", at: SourcePosition(line: 1, column: 1), path: ""))
        let cell = KeySetCell(name: "keys", isRemote: false)
        do {
            let set = try KeySet.parse(pem: "".utf8.span, kid: nil, algorithm: nil, cryptography: NoCryptography())
            cell.install(set, now: now, freshFor: nil)
            return try IssuerTable([
                JWTVerifier(name: "jwt", configuration: rules, keySet: cell, cryptography: NoCryptography())
            ])
        } catch {
            fatalError("\(error)")
        }
    }
}

nonisolated(unsafe) let table = Gate.table()
nonisolated(unsafe) let cache = TokenCache(seed: HashSeed(1, 2), verifiedLimit: 64, refusedLimit: 64)

func judge(_ token: [UInt8]) {
    let first = outcome(table.verify(token.span, now: Gate.now))
    for _ in 0..<2 {
        let again = outcome(table.verify(token.span, now: Gate.now, cache: cache))
        guard again == first else { fatalError("\(first), then \(again)") }
    }
}

func outcome(_ verdict: TokenVerdict) -> String {
    switch verdict {
    case .verified(let token):
        for text in [token.issuer, token.subject, token.id].compactMap({ $0 }) + token.scopes {
            for byte in text.utf8 where byte < 0x20 || byte == 0x7F { fatalError("a control character in \(text)") }
        }
        return "verified"
    case .refused(let fault): return fault.rawValue
    case .notMine: fatalError("a table knows no other's token")
    case .unknownKey(_, _, let fault): return fault.rawValue
    }
}

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    let bytes = Array(UnsafeBufferPointer(start: start, count: count))
    judge(bytes)
    _ = try? KeySet.parse(bytes.span, isLocal: true, cryptography: NoCryptography())
    if let end = bytes.firstIndex(of: 0x0A) {
        var token: [UInt8] = []
        token.append(base64URL: bytes.span.extracting(0..<end))
        token.append(0x2E)
        token.append(base64URL: bytes.span.extracting(end + 1..<count))
        token += Array(".AA".utf8)
        judge(token)
    }
    return 0
}
