import Core
import Policy
import Store

/// What a new token will be good for: never for more than what was shown for it, nor than the key or certificate behind that.
struct TokenGrant: Sendable, Equatable {
    /// Seconds from now.
    var lifetime: Int64
    var scopes: [String]
    /// Addresses and networks as they were written; nil for every address.
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
    init(_ family: TokenFamily, party: TokenParty, terms: TokenTerms, now: WallTime) throws(ActionRefusal) {
        // A token without the claim would have all scopes, or be good everywhere.
        if family.isNarrowed, terms.claims.path(of: .scopes) == nil { throw ActionRefusal(.tokenOptionNotAllowed) }
        if family.addresses != nil, terms.claims.path(of: .addresses) == nil { throw ActionRefusal(.tokenOptionNotAllowed) }
        self.init(scopes: party.scopes, terms: terms)
        lifetime = min(lifetime, family.lifetime ?? .max, try Self.rest(of: party, now: now))
        addresses = try Self.confined(family.addresses, to: party, terms: terms)
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
        let granted = try Self.lifetime(options.expiresIn, terms: terms, ceiling: shown?.ceiling)
        lifetime = min(granted, try Self.rest(of: party, now: now))
        scopes = try Self.scopes(options.scopes, party: party, terms: terms)
        let chosen = try Self.addresses(options, shown: shown, party: party, terms: addresses, client: client)
        self.addresses = try Self.confined(chosen, to: party, terms: terms)
        // Addresses that come from the key alone are no protection that the caller asked for.
        isRenewable = options.renewable ?? (shown != nil || chosen != nil)
        isNarrowed = options.scopes != nil
        askedLifetime = options.expiresIn
    }

    /// Seconds until the key or certificate behind it ends, which know their end to the second.
    private static func rest(of party: TokenParty, now: WallTime) throws(ActionRefusal) -> Int64 {
        guard let end = party.endsAt else { return .max }
        let rest = end.seconds &- now.seconds
        // With other credentials beside it the end may be a token's, which is seen here within its leeway.
        if rest <= 0, party.isJoint { throw ActionRefusal(.tokenNotRenewable) }
        guard rest > 0 else { throw ActionRefusal(party.key == nil ? .certificateExpired : .keyExpired) }
        return rest
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

    /// What the caller chose, or left to the rules; nil for every address.
    private static func addresses(
        _ options: TokenOptions, shown: ShownToken?, party: TokenParty, terms: TokenAddressTerms?, client: IPAddress
    ) throws(ActionRefusal) -> [String]? {
        guard let terms else { return try shown?.addressTexts() }
        if options.noProtection == true {
            if let shown, shown.isBound { throw ActionRefusal(.tokenOptionNotAllowed) }
            return nil
        }
        let isAsked = options.addresses != nil || options.noProtection == false
        // What a token says of addresses goes on where the caller says nothing.
        if let shown, !isAsked { return try shown.addressTexts() }
        guard isAsked || terms.isProtected else { return nil }
        let asked = options.addresses ?? ["request_ip"]
        let bounds = AddressList.Bounds(token: shown?.token.addresses, credential: party.addresses)
        return try AddressList(asked, client: client, within: bounds, terms: terms).texts
    }

    /// No address beyond those of the key or certificate behind it, and those where nothing was chosen.
    private static func confined(
        _ chosen: [String]?, to party: TokenParty, terms: TokenTerms
    ) throws(ActionRefusal) -> [String]? {
        guard let bound = party.addresses else { return chosen }
        guard terms.claims.path(of: .addresses) != nil else {
            // A token that names its key is good where the key is; any other would be good everywhere.
            guard party.family != nil, !party.isConfinedByOthers, terms.claims.path(of: .family) != nil else {
                throw ActionRefusal(.tokenOptionNotAllowed)
            }
            return chosen
        }
        var rest = bound
        if let chosen {
            let set = try AddressList.set(of: chosen)
            if set.isSubset(of: bound) { return chosen }
            // The key was confined after the token that is shown, or the first of the family, was made.
            rest = set.intersection(bound)
            guard !rest.isEmpty else { throw ActionRefusal(.tokenOptionNotAllowed) }
        }
        let texts = rest.blocks.map(AddressList.text)
        guard texts.count <= TokenAddressTerms.claimLimit else {
            throw ActionRefusal(
                .parametersInvalid,
                messages: ["Ips can't be blank: the credential has more addresses than a token names (\(TokenAddressTerms.claimLimit))"])
        }
        return texts
    }
}
