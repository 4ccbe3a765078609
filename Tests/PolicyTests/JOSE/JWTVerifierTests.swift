import Core
import Crypto
import Testing

@testable import Policy

struct JWTVerifierTests {
    @Test func `a good token tells who its bearer is`() throws {
        let payload = #"""
            {"iss":"https://issuer.test","aud":["other","gateway"],"sub":"alice","jti":"t-1","iat":1799999990,
             "nbf":1799999990,"exp":1800000100,"scope":"devices:read devices:write","ips":["10.0.0.0/8","::1"],
             "org":"acme"}
            """#
        let bytes = Sample.token(payload)
        let token = try #require(try Sample.verifier { $0.addressesClaim = "/ips" }.judge(bytes).token)
        #expect(token.authenticator == "jwt")
        #expect(token.issuer == Sample.issuer)
        #expect(token.subject == "alice")
        #expect(token.id == "t-1")
        #expect(token.scopes == ["devices:read", "devices:write"])
        #expect(token.addresses?.contains(IPAddress(v4: 0x0A01_0203)) == true)
        #expect(token.addresses?.contains(IPAddress(v4: 0x0B01_0203)) == false)
        #expect(token.expiresAt == WallTime(seconds: 1_800_000_100))
        #expect(token.keySetGeneration == 1)
        #expect(token.bytes == bytes)
        #expect(token.digest == Sample.cryptography.sha256(bytes.span))
        #expect(try token.claims.string("org") == "acme")
    }

    @Test(arguments: [
        "", ".", "..", "...", "a", "a.b", "a.b.c.d", ".e30.AA", "e30..AA", "e30.e30.", "e30.e30.A", "e30.e30.AA=",
        "e30.e30.A A", "e30.e30.AA\n", " e30.e30.AA", "e30.e30.+/", "bnVsbA.e30.AA", "e30.bnVsbA.AA", "W10.e30.AA",
        "e30.W10.AA", "e30.IiI.AA", "e30.e30.AA", "\u{0}.\u{0}.\u{0}", "é.é.é",
    ])
    func `what is no compact token is malformed`(text: String) throws {
        #expect(try Sample.verifier().judge(Array(text.utf8)).fault == .malformed)
    }

    @Test func `every token cut short is refused`() throws {
        let verifier = try Sample.verifier()
        let token = Sample.token()
        for count in token.indices {
            #expect(verifier.judge(Array(token[..<count])).token == nil)
        }
    }

    @Test func `every token with one byte changed is refused`() throws {
        let verifier = try Sample.verifier()
        let token = Sample.token()
        for index in token.indices {
            var changed = token
            changed[index] = changed[index] == 0x41 ? 0x42 : 0x41
            #expect(verifier.judge(changed).token == nil)
        }
    }

    @Test(arguments: [
        (#"{"alg":"HS256","kid":"k","crit":["exp"]}"#, TokenFault.malformed),
        (#"{"alg":"HS256","kid":"k","crit":[]}"#, .malformed), (#"{"alg":"HS256","kid":"k","b64":true}"#, .malformed),
        (#"{"alg":"HS256","kid":"k","zip":"DEF"}"#, .malformed),
        (#"{"alg":"HS256","kid":"k","cty":"JWT"}"#, .malformed),
        (#"{"alg":"HS256","kid":"k","cty":"application/jwt"}"#, .malformed),
        (#"{"alg":"HS256","kid":"k","cty":1}"#, .malformed),
        (#"{"alg":"HS256","kid":1}"#, .malformed),
        (#"{"alg":"HS256","kid":"k\u0000"}"#, .malformed), (#"{"alg":"HS256","kid":"k","typ":1}"#, .malformed),
        (#"{"kid":"k"}"#, .malformed), (#"{"alg":["HS256"],"kid":"k"}"#, .malformed),
        (#"{"alg":"","kid":"k"}"#, .algorithmNotAllowed),
        (#"{"alg":"none","kid":"k"}"#, .algorithmNotAllowed), (#"{"alg":"nOnE","kid":"k"}"#, .algorithmNotAllowed),
        (#"{"alg":"hs256","kid":"k"}"#, .algorithmNotAllowed), (#"{"alg":"HS256 ","kid":"k"}"#, .algorithmNotAllowed),
        (#"{"alg":"RS256","kid":"k"}"#, .algorithmNotAllowed), (#"{"alg":"HS384","kid":"k"}"#, .algorithmNotAllowed),
        (#"{"alg":"HS256","alg":"HS256","kid":"k"}"#, .malformed), (#"{"alg":"HS256","kid":"K"}"#, .keyUnknown),
        (#"{"alg":"HS256","kid":"k "}"#, .keyUnknown), (#"{"alg":"HS256","kid":""}"#, .keyUnknown),
    ])
    func `headers that are refused`(header: String, fault: TokenFault) throws {
        #expect(try Sample.verifier().judge(Sample.token(header: header)).fault == fault)
    }

    @Test(arguments: [
        #"{"alg":"HS256","kid":"k","jwk":{"kty":"oct","k":"AAAA"},"jku":"http://127.0.0.1:1/","x5u":1,"x5c":{}}"#,
        #"{"alg":"HS256","kid":"k","cty":"json"}"#,
        #"{"typ":"JWT","kid":"k","alg":"HS256","unknown":{}}"#,
        #"{"typ":null,"kid":null,"cty":null,"alg":"HS256"}"#,
    ])
    func `headers that are taken, keys and addresses of keys in them unseen`(header: String) throws {
        #expect(try Sample.verifier().judge(Sample.token(header: header)).token != nil)
    }

    @Test(
        arguments: [
            ("JWT", true), ("jwt", true), ("at+jwt", true), ("AT+JWT", true), ("application/at+jwt", true), ("Application/JWT", true),
            ("logout+jwt", false), ("secevent+jwt", false), ("dpop+jwt", false), ("application/", false), ("", false), ("JOSE", false),
            ("JWT ", false), ("application/application/jwt", false), ("id_token", false),
        ])
    func `without a list of types only those of access tokens are taken`(type: String, isTaken: Bool) throws {
        let verdict = try Sample.verifier().judge(Sample.token(header: #"{"alg":"HS256","kid":"k","typ":"\#(type)"}"#))
        #expect(verdict.fault == (isTaken ? nil : .typeWrong))
        let listing = try Sample.verifier { $0.types = ["logout+jwt"] }
        let listed = listing.judge(Sample.token(header: #"{"alg":"HS256","kid":"k","typ":"logout+jwt"}"#))
        #expect(listed.token != nil)
    }

    @Test func `tokens with an empty subject are no one caller`() throws {
        let verifier = try Sample.verifier()
        func bucket(_ members: String) throws -> [UInt8] {
            let payload = #"{"iss":"https://issuer.test","aud":"gateway","exp":1800000100,\#(members)}"#
            let token = try #require(verifier.judge(Sample.token(payload)).token)
            var bytes: [UInt8] = []
            let position = SourcePosition(line: 1, column: 1)
            let limit = try Limit(
                name: "l", LimitConfiguration(requests: 1, per: .seconds(1), burst: 1, by: [.identity], position: position))
            BucketPrincipal(identity: .token(token), routeName: "r", client: IPAddress(v4: 1)).append(for: limit, to: &bytes)
            return bytes
        }
        #expect(try bucket(#""sub":"","common_name":"a""#) != bucket(#""sub":"","common_name":"b""#))
        #expect(try bucket(#""sub":"  ","jti":"","n":1"#) != bucket(#""sub":"","jti":" ","n":2"#))
        #expect(try bucket(#""sub":"","jti":"one","n":1"#) == bucket(#""sub":"","jti":"one","n":2"#))
        #expect(try bucket(#""sub":"a","n":1"#) == bucket(#""sub":"a","n":2"#))
    }

    @Test func `a key id has at most 256 bytes`() throws {
        for (count, isTaken) in [(256, true), (257, false)] {
            let kid = String(repeating: "k", count: count)
            let cell = Sample.cell(try Sample.keySet(Sample.key(), Sample.key(kid: String(kid.prefix(256)))))
            let token = Sample.token(header: #"{"alg":"HS256","kid":"\#(kid)"}"#)
            #expect((try Sample.verifier(cell).judge(token).token != nil) == isTaken)
        }
    }

    @Test func `an algorithm that the authenticator does not list is refused though the key serves it`() throws {
        let verifier = try Sample.verifier { $0.algorithms = [.hs512, .rs256] }
        #expect(verifier.judge(Sample.token()).fault == .algorithmNotAllowed)
        let listed = try Sample.verifier { $0.algorithms = [.hs256] }
        #expect(listed.judge(Sample.token()).token != nil)
    }

    @Test(arguments: [
        (#""typ":"at+jwt""#, true), (#""typ":"AT+JWT""#, true), (#""typ":"application/at+jwt""#, true),
        (#""typ":"JWT""#, false), (#""typ":"application/""#, false), (#""x":1"#, false),
    ])
    func `a type is compared without case and prefix`(member: String, isTaken: Bool) throws {
        let verifier = try Sample.verifier { $0.types = ["application/AT+jwt"] }
        let verdict = verifier.judge(Sample.token(header: "{\"alg\":\"HS256\",\"kid\":\"k\",\(member)}"))
        #expect((verdict.token != nil) == isTaken)
        #expect(isTaken || verdict.fault == .typeWrong)
    }

    @Test(
        arguments: [
            (#""aud":"gateway""#, nil), (#""aud":["gateway"]"#, nil), (#""aud":["a","gateway"]"#, nil),
            (#""aud":"Gateway""#, TokenFault.audienceWrong), (#""aud":"""#, .audienceWrong),
            (#""aud":[]"#, .audienceWrong),
            (#""aud":["gateway2"]"#, .audienceWrong), (#""aud":{"gateway":1}"#, .malformed),
            (#""aud":null"#, .audienceWrong),
            (#""aud":1"#, .malformed), (#""aud":["gateway",1]"#, .malformed), (#""aud":[["gateway"]]"#, .malformed),
            (#""x":1"#, .audienceWrong),
        ] as [(String, TokenFault?)])
    func `audiences`(member: String, fault: TokenFault?) throws {
        let payload = "{\"iss\":\"https://issuer.test\",\"exp\":1800000100,\(member)}"
        #expect(try Sample.verifier().judge(Sample.token(payload)).fault == fault)
        // Without a list every audience is good, and the claim is not looked at.
        let any = try Sample.verifier { $0.audiences = [] }
        #expect(any.judge(Sample.token(payload)).fault == nil)
        // A token that names an audience is meant for another service where none is meant (RFC 7519 §4.1.3).
        let none = try Sample.verifier {
            $0.audiences = []
            $0.refusesAudiences = true
        }
        let refused: TokenFault? = member.contains("aud") && !member.contains("null") ? .audienceWrong : nil
        #expect(none.judge(Sample.token(payload)).fault == refused)
    }

    @Test func `a token of another issuer is not this verifier's, however it is spelled`() throws {
        let verifier = try Sample.verifier()
        for issuer in [#""https://issuer.test/""#, #""https://ISSUER.test""#, #""""#] {
            let payload = "{\"iss\":\(issuer),\"aud\":\"gateway\",\"exp\":1800000100}"
            #expect(verifier.judge(Sample.token(payload)).isNotMine)
        }
        #expect(verifier.judge(Sample.token(#"{"aud":"gateway","exp":1800000100}"#)).isNotMine)
        let list = #"{"iss":["https://issuer.test"],"aud":"gateway","exp":1800000100}"#
        #expect(verifier.judge(Sample.token(list)).fault == .malformed)
    }

    @Test func `a token signed with another secret is forged, whatever else is wrong with it`() throws {
        let token = Sample.token(#"{"iss":"https://issuer.test","exp":1}"#, secret: "another secret of 32 bytes, or so")
        #expect(try Sample.verifier().judge(token).fault == .signatureInvalid)
    }

    @Test func `a token larger than the limit is refused unread`() throws {
        let token = Sample.token()
        let exact = try Sample.verifier { $0.tokenByteLimit = token.count }
        #expect(exact.judge(token).token != nil)
        let less = try Sample.verifier { $0.tokenByteLimit = token.count - 1 }
        #expect(less.judge(token).fault == .tooLarge)
    }

    @Test func `a payload 20000 deep is refused`() throws {
        let payload = String(repeating: "[", count: 20_000) + String(repeating: "]", count: 20_000)
        let verifier = try Sample.verifier { $0.tokenByteLimit = 1_000_000 }
        #expect(verifier.judge(Sample.token("{\"a\":\(payload)}")).fault == .malformed)
        #expect(verifier.judge(Sample.token(payload)).fault == .malformed)
    }

    @Test func `a token without a key id is tried with four keys that fit, and no more`() throws {
        let token = Sample.token(header: #"{"alg":"HS256"}"#)
        let long = String(repeating: "a secret of 64 bytes", count: 4)
        let unfit = Sample.key(kid: "z", secret: long, more: #","alg":"HS512""#)
        for others in 0...4 {
            let keys = (0..<others).map { Sample.key(kid: "\($0)", secret: "another secret of 32 bytes, no. \($0)") }
            let text = "{\"keys\":[\((([unfit] + keys) + [Sample.key()]).joined(separator: ","))]}"
            let set = try KeySet.parse(text.utf8.span, isLocal: true, cryptography: Sample.cryptography)
            let verdict = try Sample.verifier(Sample.cell(set)).judge(token)
            #expect((verdict.token != nil) == (others < 4))
            if others == 4 { #expect(verdict.fault == .keyUnknown && !verdict.isUnknownKey) }
        }
        let wrong = Sample.cell(try Sample.keySet(Sample.key(kid: "a", secret: "another secret of 32 bytes, no 1")))
        #expect(try Sample.verifier(wrong).judge(token).fault == .signatureInvalid)
        let none = Sample.cell(try Sample.keySet(unfit))
        #expect(try Sample.verifier(none).judge(token).isUnknownKey)
    }

    @Test func `a key without a key id serves tokens whose own no other key has`() throws {
        let bare = #"{"kty":"oct","k":"\#(Base64URL.encode(Sample.secret.utf8.span))"}"#
        let verifier = try Sample.verifier(Sample.cell(try Sample.keySet(bare, Sample.key(kid: "other"))))
        #expect(verifier.judge(Sample.token()).token != nil)
        // A newer document may have the key that it names.
        #expect(verifier.judge(Sample.token(secret: "another secret of 32 bytes, no 1")).isUnknownKey)
        // Where one has it, the token is that one's.
        let named = try Sample.keySet(bare, Sample.key(secret: "another secret of 32 bytes, no 1"))
        #expect(try Sample.verifier(Sample.cell(named)).judge(Sample.token()).fault == .signatureInvalid)
    }

    @Test func `a forged token costs four verifications at most, whatever it names`() throws {
        let counted = try (0..<6).map { _ in try CountingKey(secret: "another secret of 32 bytes, no 1") }
        for (kid, header) in [(nil, Sample.header), ("x", #"{"alg":"HS256"}"#), (nil, #"{"alg":"HS256"}"#)] as [(String?, String)] {
            let before = counted.reduce(0) { $0 + $1.count }
            let keys = counted.map { KeySet.Key(kid: kid, algorithms: $0.algorithms, verification: $0) }
            let set = KeySet(keys: keys, skipped: [], fingerprint: Digest256(1, 0, 0, 0))
            #expect(try Sample.verifier(Sample.cell(set)).judge(Sample.token(header: header)).fault == .keyUnknown)
            #expect(counted.reduce(0) { $0 + $1.count } - before == 4)
        }
    }

    @Test func `keys of one key id are all tried`() throws {
        let keys = try Sample.keySet(Sample.key(secret: "the one before this, 32 bytes ok"), Sample.key())
        #expect(try Sample.verifier(Sample.cell(keys)).judge(Sample.token()).token != nil)
        let wrong = Sample.token(secret: "none of both, thirty-two bytes ok")
        #expect(try Sample.verifier(Sample.cell(keys)).judge(wrong).fault == .signatureInvalid)
    }

    @Test func `an unknown key may be fetched, and without keys everything is unavailable`() throws {
        let cell = Sample.cell(try Sample.keySet(Sample.key(kid: "other")), isRemote: true)
        guard case .unknownKey(let asked, let kid, let fault) = try Sample.verifier(cell).judge(Sample.token()) else {
            Issue.record("a verdict was made without a key")
            return
        }
        #expect(asked === cell)
        #expect(kid == "k")
        #expect(fault == .keyUnknown)
        let empty = Sample.cell(nil, isRemote: true)
        let verdict = try Sample.verifier(empty).judge(Sample.token())
        #expect(verdict.isUnknownKey)
        #expect(verdict.fault == .keySetUnavailable)
    }

    @Test func `a key that was taken from the set no longer verifies`() throws {
        let cell = Sample.cell(try Sample.keySet(Sample.key()), isRemote: true)
        let verifier = try Sample.verifier(cell)
        let token = try #require(verifier.judge(Sample.token()).token)
        #expect(token.isCurrent(Sample.now))
        cell.install(try Sample.keySet(Sample.key(kid: "new")), now: Sample.now, freshFor: .seconds(600))
        #expect(!token.isCurrent(Sample.now))
        #expect(verifier.judge(Sample.token()).fault == .keyUnknown)
    }

    @Test func `a pointer that is none is an error of the configuration`() throws {
        #expect(throws: MalformedPointer(text: "sub")) { try Sample.verifier { $0.subjectClaim = "sub" } }
        #expect(throws: MalformedPointer(text: "/~2")) { try Sample.verifier { $0.scopesClaim = "/~2" } }
    }
}
