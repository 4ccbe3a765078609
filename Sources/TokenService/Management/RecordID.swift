package import Core
import Crypto
import Policy

/// The ids of what the store keeps: a prefix that tells the kind, and 22 base62 digits. Later ones sort behind earlier ones,
/// since the digits spell the milliseconds since 1970 in 48 bits and 80 random bits.
package enum RecordID {
    package enum Kind: String, Sendable, CaseIterable {
        case apiKey = "key_"
        case jwtKey = "jky_"
        case user = "usr_"
        case organization = "org_"
        case project = "prj_"
        case event = "evt_"
    }

    package static func make(_ kind: Kind, at now: WallTime) -> String {
        let milliseconds = UInt64(clamping: now.nanoseconds / 1_000_000) & 0xFFFF_FFFF_FFFF
        let high = milliseconds << 16 | SecureRandom.word() & 0xFFFF
        guard let text = NewAPIKey(prefix: kind.rawValue, random: (high, SecureRandom.word()))?.text else {
            preconditionFailure("the prefix of an id is letters and an underscore")
        }
        return String(decoding: text, as: UTF8.self)
    }
}
