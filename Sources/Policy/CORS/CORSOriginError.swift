/// Why a text is invalid in `cors.origins`.
package enum CORSOriginError: Error, Equatable, Sendable {
    case schemeMissing
    case hostInvalid
    case portInvalid
    /// `null`, the origin of sandboxed frames and of files, which every page can take on.
    case opaque
    /// There is a path, a query, a fragment or a user in it.
    case notOnlyOrigin
    case upperCase
    case defaultPort
    case notASCII
    case addressNotNormal

    /// What is wrong, and what to write.
    package var message: String {
        switch self {
        case .schemeMissing: "an origin begins with its scheme, as in \"https://app.example\""
        case .hostInvalid: "expected a host behind the scheme, as in \"https://app.example\" or \"https://*.acme.example\""
        case .portInvalid: "expected a port from 1 to 65535"
        case .opaque: "any page can have the origin \"null\", by a sandboxed frame; it cannot be allowed"
        case .notOnlyOrigin: "an origin is scheme, host and port, without anything behind them"
        case .upperCase: "browsers write scheme and host in lower case; so must this be"
        case .defaultPort: "browsers leave out the default port of a scheme; so must this"
        case .notASCII: "browsers write names in ASCII; write this one in its \"xn--\" form"
        case .addressNotNormal: "browsers write IPv6 addresses in their shortest form; so must this be"
        }
    }
}
