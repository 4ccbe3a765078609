import Core
import Testing

@testable import Policy

struct RequiredClaimTests {
    @Test(
        arguments: [
            (#"{"a":"x"}"#, "x", true), (#"{"a":"X"}"#, "x", false), (#"{"a":["y","x"]}"#, "x", true),
            (#"{"a":[]}"#, "x", false),
            (#"{"a":[["x"]]}"#, "x", false), (#"{"a":42}"#, "42", true), (#"{"a":42.0}"#, "42", false),
            (#"{"a":true}"#, "true", true),
            (#"{"a":false}"#, "true", false), (#"{"a":null}"#, "null", false), (#"{"a":{"x":1}}"#, "x", false),
            (#"{}"#, "x", false),
            (#"{"a":"x","a2":1}"#, nil, true), (#"{"a":null}"#, nil, false), (#"{"a":false}"#, nil, true),
            (#"{}"#, nil, false), (#"{"a":""}"#, nil, false), (#"{"a":"  "}"#, nil, false), (#"{"a":""}"#, "", true),
            // U+212A KELVIN SIGN is canonically equivalent to K, and another claim.
            (#"{"a":"\u212a"}"#, "K", false),
        ] as [(String, String?, Bool)])
    func `a claim is there, with its value`(claims: String, value: String?, isMet: Bool) throws {
        let node = try JSONNode.parse(claims.utf8.span)
        let claim = RequiredClaim(pointer: try #require(JSONPointer("/a")), value: value)
        #expect(claim.isMet(by: node) == isMet)
    }

    @Test func `a token without a required claim is refused`() throws {
        let pointer = Located("/org", at: SourcePosition(line: 1, column: 1), path: "required_claims")
        let verifier = try Sample.verifier { $0.requiredClaims = [(pointer: pointer, value: "acme")] }
        #expect(verifier.judge(Sample.token()).fault == .claimMissing)
        let payload = #"{"iss":"https://issuer.test","aud":"gateway","exp":1800000100,"org":"acme"}"#
        #expect(verifier.judge(Sample.token(payload)).token != nil)
    }
}
