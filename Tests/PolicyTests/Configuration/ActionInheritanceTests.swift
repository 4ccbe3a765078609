import Core
import Testing

@testable import Policy

/// Actions that make tokens as another route does.
struct ActionInheritanceTests {
    private static func document(_ base: String, _ refresh: String) -> String {
        """
        {
          "listeners": [{ "address": "127.0.0.1:0" }],
          "upstreams": { "up": { "servers": ["http://127.0.0.1:9"] } },
          "store": { "sqlite": "s.db", "encryption_key": "file:k" },
          "key_sets": { "own": { "stored": true, "algorithms": ["HS256", "HS512"] }, "other": { "stored": true } },
          "authenticators": {
            "jwt": { "type": "jwt", "issuer": "i", "audiences": ["a"], "algorithms": ["HS256"], "key_set": "own" }
          },
          "routes": [
            { "name": "refresh", "match": { "path": "/refresh" }, "authenticate": ["jwt"], "action": \(refresh) },
            { "name": "base", "match": { "path": "/base" }, "authenticate": \(base.contains("login") ? "\"none\"" : "[\"jwt\"]"),
              "action": \(base) },
            { "name": "open", "match": { "path": "/open" }, "authenticate": "none", "upstream": "up" }
          ]
        }
        """
    }

    private static let login =
        #"{"login":{"key_set":"own","algorithm":"HS512","kid":false,"lifetime":"600s","max_lifetime":"1200s","#
        + #""claims":{"sub":"{subject}","exp":"{expires_at}"},"answer":{"t":"{token}"},"refresh_tokens":{"lifetime":"1d"},"#
        + #""attempts":{"failures":3,"per":"1m"}}}"#

    private static func read(_ base: String, _ refresh: String) throws -> (terms: TokenTerms?, errors: [String]) {
        let (configuration, errors) = ConfigurationReader.read(document(base, refresh).utf8.span, file: "f")
        return (configuration?.routes[0].action?.terms, errors.map { "\($0.path): \($0.message)" })
    }

    private static func terms(_ base: String, _ refresh: String) throws -> TokenTerms {
        let (terms, errors) = try read(base, refresh)
        #expect(errors == [])
        return try #require(terms)
    }

    /// What terms say, but for where they are written.
    private static func said(_ terms: TokenTerms) -> String {
        let refresh = terms.refreshTokens.map { "\($0.lifetime) \($0.familyLifetime ?? 0)" } ?? "none"
        return "\(terms.keySet.value) \(terms.algorithm?.rawValue ?? "any") \(terms.namesKey) \(terms.lifetime) "
            + "\(terms.maximumLifetime ?? 0) \(terms.claims) \(terms.answer) \(refresh)"
    }

    @Test func `a refresh has everything from the sign-in that it is like`() throws {
        let inherited = try Self.terms(Self.login, #"{"refresh_token":{"like":"base"}}"#)
        let own = Self.login.replacing(#","attempts":{"failures":3,"per":"1m"}"#, with: "").replacing("login", with: "refresh_token")
        #expect(Self.said(inherited) == Self.said(try Self.terms(Self.login, own)))
        #expect(inherited.refreshTokens?.lifetime == .seconds(86_400) && inherited.claims.path(of: .subject) == ["sub"])
    }

    @Test(arguments: [
        (#""key_set":"other","algorithm":null"#, "other"), (#""lifetime":"60s""#, "60000000000"), (#""kid":true"#, "true"),
        (#""algorithm":"HS256""#, "HS256"), (#""refresh_tokens":{"lifetime":"7s"}"#, "7000000000 0"),
        (#""refresh_tokens":null"#, "none"), (#""algorithm":null"#, "any"), (#""lifetime":null"#, "1200000000000"),
        (#""max_lifetime":null,"lifetime":null"#, "3600000000000 0"), (#""max_lifetime":"601s""#, "601000000000"),
        (#""answer":{"u":"{token}"}"#, #""u""#), (#""claims":{"iat":"{issued_at}","exp":"{expires_at}"}"#, #""iat""#),
        (#""claims":null"#, #""jti""#), (#""answer":null"#, #""access_token""#),
    ])
    func `a member of its own replaces the inherited one, and null drops it`(member: String, said: String) throws {
        let inherited = Self.said(try Self.terms(Self.login, #"{"refresh_token":{"like":"base"}}"#))
        let terms = Self.said(try Self.terms(Self.login, #"{"refresh_token":{"like":"base",\#(member)}}"#))
        #expect(terms.contains(said) && terms != inherited)
    }

    @Test(arguments: [
        ("", 86_400), (#","max_lifetime":"2h""#, 7200), (#","max_lifetime":"2d""#, 86_400), (#","lifetime":"5m""#, 300),
    ])
    func `the time that counts for the named route is inherited, written or not`(members: String, seconds: Int64) throws {
        let base = #"{"mint_token":{"key_set":"own"\#(members)}}"#
        #expect(try Self.terms(base, #"{"refresh_token":{"like":"base"}}"#).lifetime == .seconds(seconds))
        #expect(try Self.terms(base, #"{"mint_token":{"like":"base"}}"#).lifetime == .seconds(seconds))
    }

    @Test func `a mint that is like another mint takes the same lists of addresses, unless null drops them`() throws {
        let base = #"{"mint_token":{"key_set":"own","addresses":{"values":3}}}"#
        let limit = { (mint: String) throws -> Int? in
            let read = ConfigurationReader.read(Self.document(base, mint).utf8.span, file: "f")
            guard case .mintToken(let mint)? = read.configuration?.routes[0].action else { return -1 }
            return mint.addresses?.valueLimit
        }
        #expect(try limit(#"{"mint_token":{"like":"base"}}"#) == 3)
        #expect(try limit(#"{"mint_token":{"like":"base","addresses":{"values":4}}}"#) == 4)
        #expect(try limit(#"{"mint_token":{"like":"base","addresses":null}}"#) == nil)
    }

    private static let path = "routes[0].action.refresh_token"

    @Test(arguments: [
        (#""like":"bse""#, #".like: no route named "bse"; did you mean "base"?"#),
        (#""like":"open""#, #".like: the route "open" has no action "login" or "mint_token""#),
        (#""like":"refresh""#, ".like: a route cannot be like itself"),
        (#""like":"""#, ".like: expected the name of a route, found an empty one"),
        (#""like":["base"]"#, ".like: expected the name of a route, found an array"),
        (#""like":null"#, ".like: expected the name of a route, found null"),
        (#""like":"base","attempts":null"#, ".attempts: no member of this name is known here"),
        (#""like":"base","key_set":null"#, ".key_set: expected the name of a key set, found null"),
        (#""like":"base","lifetime":"2h""#, #".lifetime: "lifetime" is longer than "max_lifetime""#),
        (#""like":"base","max_lifetime":"5m""#, #".max_lifetime: "lifetime" is longer than "max_lifetime""#),
        (#""like":"base","claims":{"a":"b"}"#, #".claims: a token ends: one of the claims is "{expires_at}""#),
        (#""lifetime":"1h""#, #": the member "key_set" is missing, or "like" with the name of a route"#),
        (#""key_set":"own","refresh_tokens":null"#, ".refresh_tokens: expected an object, found null"),
    ])
    func `what is refused`(members: String, error: String) throws {
        #expect(try Self.read(Self.login, #"{"refresh_token":{\#(members)}}"#).errors == [Self.path + error])
    }

    @Test func `one that is like a third one is not inherited from`() throws {
        let (_, errors) = try Self.read(#"{"mint_token":{"like":"open"}}"#, #"{"refresh_token":{"like":"base"}}"#)
        #expect(
            errors == [
                #"\#(Self.path).like: the route "base" is itself like "open": name that one"#,
                #"routes[1].action.mint_token.like: the route "open" has no action "login" or "mint_token""#,
            ])
        let (_, circle) = try Self.read(#"{"mint_token":{"like":"refresh"}}"#, #"{"mint_token":{"like":"base"}}"#)
        #expect(circle.count == 2)
    }

    @Test func `what is wrong in the named route is reported there alone`() throws {
        let base = #"{"mint_token":{"key_set":"own","lifetime":"x","claims":{"exp":"{expires}"}}}"#
        let (_, errors) = try Self.read(base, #"{"refresh_token":{"like":"base"}}"#)
        #expect(errors.count == 2 && errors.allSatisfy { $0.hasPrefix("routes[1].action.mint_token.") })
    }

    @Test func `a key set that no key is made for is reported where it is inherited, too`() throws {
        let base = #"{"mint_token":{"key_set":"own"}}"#
        let (_, errors) = try Self.read(base, #"{"refresh_token":{"like":"base","algorithm":"RS256"}}"#)
        #expect(errors == [#"\#(Self.path).like: "RS256" is not one of the algorithms of the key set "own""#])
    }

    // MARK: Comparison

    private static func changes(_ base: String, _ old: String, _ new: String) throws -> [String] {
        let documents = try [old, new].map { try PolicyComparisonTests.document(document(base, $0), "f") }
        return PolicyComparison.changes(from: documents[0], to: documents[1]).map(\.description)
    }

    @Test(arguments: [
        (
            #"{"login":{"key_set":"own","lifetime":"5m"}}"#, #"{"refresh_token":{"key_set":"own","lifetime":"5m"}}"#,
            #"{"refresh_token":{"like":"base"}}"#
        ),
        (#"{"login":{"key_set":"own"}}"#, #"{"refresh_token":{"key_set":"own"}}"#, #"{"refresh_token":{"like":"base"}}"#),
        (#"{"mint_token":{"key_set":"own"}}"#, #"{"mint_token":{"key_set":"own"}}"#, #"{"mint_token":{"like":"base"}}"#),
        (
            #"{"mint_token":{"key_set":"own","addresses":{}}}"#, #"{"refresh_token":{"key_set":"own","lifetime":"1d"}}"#,
            #"{"refresh_token":{"like":"base"}}"#
        ),
        (
            #"{"mint_token":{"key_set":"own","max_lifetime":"2h"}}"#,
            #"{"refresh_token":{"key_set":"own","max_lifetime":"2h","lifetime":"2h"}}"#, #"{"refresh_token":{"like":"base"}}"#
        ),
        (
            #"{"login":{"key_set":"own","refresh_tokens":{"lifetime":"1d"},"attempts":{"failures":3,"per":"1m"}}}"#,
            #"{"refresh_token":{"key_set":"other"}}"#, #"{"refresh_token":{"like":"base","refresh_tokens":null,"key_set":"other"}}"#
        ),
    ])
    func `to be like another route is no change where nothing changes`(base: String, old: String, new: String) throws {
        #expect(Self.said(try Self.terms(base, old)) == Self.said(try Self.terms(base, new)))
        #expect(try Self.changes(base, old, new) == [])
    }

    @Test func `and where something changes that is told`() throws {
        let base = #"{"mint_token":{"key_set":"own"}}"#
        let changes = try Self.changes(base, #"{"refresh_token":{"key_set":"own"}}"#, #"{"refresh_token":{"like":"base"}}"#)
        #expect(changes.count == 1 && changes[0].contains("lifetime") && changes[0].contains("1d"))
        let like = #"{"refresh_token":{"like":"base"}}"#
        let old = try PolicyComparisonTests.document(Self.document(base, like), "f")
        let new = try PolicyComparisonTests.document(Self.document(#"{"mint_token":{"key_set":"own","kid":false}}"#, like), "f")
        let both = PolicyComparison.changes(from: old, to: new)
        #expect(both.map(\.subject) == ["route refresh", "route base"])
    }
}
