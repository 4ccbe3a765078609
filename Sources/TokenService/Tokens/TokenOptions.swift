import Core
import Policy

/// What a caller asks of a new token.
struct TokenOptions: Sendable, Equatable {
    /// Longer lives end after the year 2262 and could not be counted.
    private static let lifetimeLimit: Int64 = 7_000_000_000

    /// Every option there is.
    static let names = ["expires_in", "scope", "ips", "no_ip_protection", "renewable"]

    /// Seconds.
    var expiresIn: Int64?
    var scopes: [String]?
    /// Addresses, networks and `request_ip`, as written.
    var addresses: [String]?
    var noProtection: Bool?
    var renewable: Bool?

    init() {}

    /// Reads the options that the action takes; every other member is refused.
    init(_ parameters: inout ParameterReader, of mint: MintTokenConfiguration) throws(ActionRefusal) {
        expiresIn = parameters.integer("expires_in", in: 1...Self.lifetimeLimit)
        scopes = Self.scopes(&parameters)
        if mint.addresses != nil {
            addresses = Self.addresses(&parameters)
            noProtection = parameters.boolean("no_ip_protection", isBlankFalse: true)
            if noProtection == true, addresses != nil {
                parameters.complain("Ips and no ip protection exclude each other")
            }
        }
        if mint.terms.claims.path(of: .renewable) != nil { renewable = parameters.boolean("renewable", isBlankFalse: true) }
        parameters.complainOfUnknown()
        try parameters.finish()
    }

    /// Scopes between spaces (RFC 6749 §3.3).
    static func scopes(_ parameters: inout ParameterReader) -> [String]? {
        parameters.text("scope", byteLimit: 4096)?.split(separator: " ").map(String.init)
    }

    /// A text with commas, or a list of texts.
    private static func addresses(_ parameters: inout ParameterReader) -> [String]? {
        guard parameters.has("ips") else { return nil }
        guard let texts = parameters.list("ips") else { return nil }
        if texts.isEmpty { parameters.complain("Ips can't be blank") }
        return texts
    }
}
