import Policy
import Testing

@Suite struct IssuerMetadataTests {
    private static let issuer = "https://issuer.example/tenant"

    private static func url(_ document: String, of issuer: String = issuer) throws(IssuerMetadataError) -> String {
        try IssuerMetadata.keySetURL(in: document.utf8.span, of: issuer)
    }

    @Test(
        arguments: [
            ("https://a.example", "https://a.example/.well-known/openid-configuration"),
            ("https://a.example/", "https://a.example/.well-known/openid-configuration"),
            ("https://a.example/t", "https://a.example/t/.well-known/openid-configuration"),
        ])
    func `metadata lie below the issuer`(issuer: String, url: String) {
        #expect(IssuerMetadata.url(of: issuer) == url)
    }

    @Test func `the key set's URL is taken from metadata of exactly this issuer`() throws {
        let url = try Self.url(
            #"{"issuer":"https://issuer.example/tenant","jwks_uri":"https://keys.example:8443/jwks?v=1","x":[1]}"#)
        #expect(url == "https://keys.example:8443/jwks?v=1")
        #expect(
            try Self.url(#"{"issuer":"http://a","jwks_uri":"http://a/jwks"}"#, of: "http://a") == "http://a/jwks")
    }

    @Test(
        arguments: [
            ("{", nil), ("[]", .malformed("it is no object")), ("{}", .memberMissing("issuer")),
            (#"{"issuer":1,"jwks_uri":"https://a/"}"#, .memberMissing("issuer")),
            (#"{"issuer":"https://issuer.example/tenant/","jwks_uri":"https://a/"}"#, .otherIssuer("https://issuer.example/tenant/")),
            (#"{"issuer":"https://issuer.example/tenant"}"#, .memberMissing("jwks_uri")),
            (
                #"{"issuer":"https://issuer.example/tenant","jwks_uri":"http://issuer.example/jwks"}"#,
                .keySetURLInvalid("http://issuer.example/jwks")
            ),
            (
                #"{"issuer":"https://issuer.example/tenant","jwks_uri":"https://u@a/"}"#,
                .keySetURLInvalid("https://u@a/")
            ),
            (#"{"issuer":"https://issuer.example/tenant","jwks_uri":"file:///etc/x"}"#, .keySetURLInvalid("file:///etc/x")),
            (
                #"{"issuer":"https://issuer.example/tenant","issuer":"https://issuer.example/tenant","jwks_uri":"https://a/"}"#,
                nil
            ),
        ] as [(String, IssuerMetadataError?)])
    func `anything else leads nowhere`(document: String, expected: IssuerMetadataError?) {
        do throws(IssuerMetadataError) {
            let url = try Self.url(document)
            Issue.record("it led to \(url)")
        } catch {
            if let expected {
                #expect(error == expected)
            } else if case .malformed = error {
                #expect(!error.message.contains("\n"))
            } else {
                Issue.record("\(error)")
            }
        }
    }

    @Test func `a document beyond the bound is not read`() {
        let document = #"{"issuer":"\#(Self.issuer)","x":""# + String(repeating: "x", count: IssuerMetadata.byteLimit) + "\"}"
        #expect(throws: IssuerMetadataError.tooLarge) { try Self.url(document) }
    }
}
