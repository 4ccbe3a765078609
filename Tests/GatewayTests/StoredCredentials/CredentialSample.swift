import Core
import Crypto
import IO

@testable import Gateway
@testable import Policy

/// Rules, tokens and credentials for tests of the vault.
enum CredentialSample {
    static let cooldown: Nanoseconds = .seconds(10)

    /// So many seconds after the beginning of the tests' time.
    static func clock(_ seconds: Int64) -> ClockReading {
        ClockReading(
            instant: Instant(nanoseconds: .seconds(1000 + seconds)), wall: WallTime(seconds: 1_800_000_000 + seconds))
    }

    static func located(_ text: String) -> Located<String> {
        Located(text, at: SourcePosition(line: 1, column: 1), path: "test")
    }

    static func rule(refreshes: Bool = true) throws -> StoredCredentialRule {
        let position = SourcePosition(line: 1, column: 1)
        let configuration = StoredCredentialConfiguration(claim: located("/data"), position: position)
        var refresh = CredentialRefreshConfiguration(url: located("http://app.test/refresh"), position: position)
        refresh.cooldown = cooldown
        return try StoredCredentialRule(
            name: "app", configuration,
            refresh: refreshes ? CredentialRefresh(refresh, headers: [], content: nil) : nil)
    }

    /// A token that brings a key, by default one that is good for 1000 seconds and can be refreshed. Times are seconds after
    /// the beginning.
    static func token(
        _ key: String?, issuedAt: Int64? = 0, endsAt: Int64? = nil, isRefreshable: Bool = true, subject: String = "user",
        issuer: String = "app", more: String = ""
    ) throws -> VerifiedToken {
        let refresh = isRefreshable ? key.map { #","refreshToken":"r-\#($0)","expiresIn":1000"# } ?? "" : ""
        let data = key.map { #","data":{"apiKey":"\#($0)"\#(refresh)}"# } ?? ""
        let dates = [("iat", issuedAt), ("exp", endsAt)].map { name, seconds in
            seconds.map { #","\#(name)":\#(1_800_000_000 + $0)"# } ?? ""
        }
        let text = #"{"iss":"\#(issuer)","sub":"\#(subject)"\#(dates.joined())\#(data)\#(more)}"#
        let claims = try JSONNode.parse(text.utf8.span)
        var configuration = JWTAuthenticatorConfiguration(keySet: located("keys"))
        configuration.requiresExpiry = false
        configuration.leeway = .seconds(300)
        let cell = KeySetCell(name: "keys", isRemote: false, cooldown: 0, staleLimit: 0)
        return VerifiedToken(
            authenticator: "jwt", claims: claims,
            identity: try TokenIdentity(claims, pointers: ClaimPointers(configuration)),
            lifetime: try TokenLifetime(claims, rules: configuration, now: WallTime(seconds: 1_800_000_000 + (issuedAt ?? 0))),
            keySet: cell, keySetGeneration: 0, digest: Digest256(0, 0, 0, 0), bytes: Array(text.utf8))
    }

    static func answer(_ key: String, lifetime: Int = 1000) -> [UInt8] {
        Array(#"{"apiKey":"\#(key)","refreshToken":"r-\#(key)","expiresIn":\#(lifetime)}"#.utf8)
    }
}

extension UpstreamCredential {
    /// The key in it.
    var key: String {
        if case .string(let text) = document.node["apiKey"]?.value { text } else { "" }
    }
}
