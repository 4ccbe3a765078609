import Core
import Policy
import Store

/// What a new token will be good for: never for more than what was shown for it.
struct TokenGrant: Sendable, Equatable {
    /// Seconds from now.
    var lifetime: Int64
    var scopes: [String]
    /// In network notation; nil for every address.
    var addresses: [String]?
    var isRenewable: Bool
    /// What was asked for: refresh tokens that come with it bring no more. False and nil where nothing was.
    var isNarrowed = false
    var askedLifetime: Int64?

    /// For somebody who has signed in.
    init(scopes: [String], terms: TokenTerms) {
        lifetime = terms.lifetime / 1_000_000_000
        self.scopes = scopes
        isRenewable = false
    }

    /// For somebody who holds a refresh token: no more than what the first token was made for.
    /// - Parameter party: with the scopes that are left of the family's.
    init(_ family: TokenFamily, party: TokenParty, terms: TokenTerms) throws(ActionRefusal) {
        // A token without the claim would have all scopes, or be good everywhere.
        if family.isNarrowed, terms.claims.path(of: .scopes) == nil { throw ActionRefusal(.tokenOptionNotAllowed) }
        if family.addresses != nil, terms.claims.path(of: .addresses) == nil { throw ActionRefusal(.tokenOptionNotAllowed) }
        self.init(scopes: party.scopes, terms: terms)
        lifetime = min(lifetime, family.lifetime ?? .max)
        addresses = family.addresses
    }

    /// For a caller.
    /// - Parameters:
    ///   - party: whom the token will stand for, and the token it was shown with, if that was one.
    ///   - addresses: the action's terms for address lists; nil takes none.
    init(
        _ options: TokenOptions, party: TokenParty, terms: TokenTerms, addresses: TokenAddressTerms?, client: IPAddress,
        now: WallTime
    ) throws(ActionRefusal) {
        let shown = try party.token.map { token throws(ActionRefusal) in try ShownToken(token, terms: terms, now: now) }
        lifetime = try Self.lifetime(options.expiresIn, terms: terms, ceiling: shown?.ceiling)
        scopes = try Self.scopes(options.scopes, party: party, terms: terms)
        self.addresses = try Self.addresses(options, shown: shown, terms: addresses, client: client)
        isRenewable = options.renewable ?? (shown != nil || self.addresses != nil)
        isNarrowed = options.scopes != nil
        askedLifetime = options.expiresIn
    }

    private static func lifetime(_ wanted: Int64?, terms: TokenTerms, ceiling: Int64?) throws(ActionRefusal) -> Int64 {
        let maximum = terms.maximumLifetime.map { $0 / 1_000_000_000 }
        guard let wanted else {
            return min(terms.lifetime / 1_000_000_000, ceiling ?? .max)
        }
        if let ceiling, wanted > ceiling { throw ActionRefusal(.lifetimeAboveCeiling) }
        if let maximum, wanted > maximum {
            throw ActionRefusal(.parametersInvalid, messages: ["Expires in is above \(maximum)"])
        }
        return wanted
    }

    private static func scopes(_ wanted: [String]?, party: TokenParty, terms: TokenTerms) throws(ActionRefusal) -> [String] {
        // A token without the claim would have all that the credential behind it has.
        if party.isNarrowed || wanted != nil, terms.claims.path(of: .scopes) == nil {
            throw ActionRefusal(.tokenOptionNotAllowed)
        }
        guard let wanted else { return party.scopes }
        for scope in wanted where !party.scopes.contains(scope) {
            throw ActionRefusal(.parametersInvalid, messages: ["Scope is not one the caller has: \(scope.prefix(64))"])
        }
        return wanted
    }

    private static func addresses(
        _ options: TokenOptions, shown: ShownToken?, terms: TokenAddressTerms?, client: IPAddress
    ) throws(ActionRefusal) -> [String]? {
        guard let terms else {
            if let shown, shown.isBound { throw ActionRefusal(.tokenOptionNotAllowed) }
            return nil
        }
        if options.noProtection == true {
            if let shown, shown.isBound { throw ActionRefusal(.tokenOptionNotAllowed) }
            return nil
        }
        let isAsked = options.addresses != nil || options.noProtection == false
        // What a token says of addresses goes on where the caller says nothing.
        if let shown, !isAsked { return try shown.addressTexts() }
        guard isAsked || terms.isProtected else { return nil }
        let asked = options.addresses ?? ["request_ip"]
        return try AddressList(asked, client: client, within: shown?.token.addresses, terms: terms).texts
    }
}
