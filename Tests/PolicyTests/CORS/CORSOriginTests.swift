import Testing

@testable import Policy

/// Origins of the policy, and those of browsers.
struct CORSOriginTests {
    private static func matches(_ policy: String, _ browser: String) throws -> Bool {
        try CORSOrigin.read(policy).get().matches(browser.utf8.span)
    }

    @Test(arguments: [
        ("https://app.example", "https://app.example"), ("http://localhost:5173", "http://localhost:5173"),
        ("https://[2001:db8::1]:8443", "https://[2001:db8::1]:8443"), ("http://127.0.0.1", "http://127.0.0.1"),
        ("https://xn--bcher-kva.example", "https://xn--bcher-kva.example"), ("capacitor://localhost", "capacitor://localhost"),
        ("chrome-extension://abcdefgh", "chrome-extension://abcdefgh"), ("https://*.acme.example", "https://a.acme.example"),
        ("https://*.acme.example", "https://a.b.acme.example"), ("https://*.acme.example:8443", "https://a.acme.example:8443"),
        ("http://*.localhost:3000", "http://app.localhost:3000"),
    ])
    func `an origin as browsers write it`(policy: String, browser: String) throws {
        #expect(try Self.matches(policy, browser))
    }

    @Test(arguments: [
        "", "*", "null", "https://", "https://acme.example", "https://evil-acme.example", "https://.acme.example",
        "https://a..acme.example", "https://a.acme.example.evil", "https://a.acme.example:443", "https://a.acme.example/",
        "https://A.acme.example", "HTTPS://a.acme.example", "http://a.acme.example", "https://a.acme.example https://a.acme.example",
        "https://a.acme.example,https://b.acme.example", "https://a/.acme.example", "https://a@b.acme.example", "https://a#.acme.example",
        "https://a?.acme.example", "https://a:1.acme.example", "https://[::1].acme.example", "https://a .acme.example",
        "https://\u{e9}.acme.example", "https://*.acme.example", "https://a\0.acme.example", "https://-.acme.example\n",
    ])
    func `a name below another is nothing else`(browser: String) throws {
        #expect(try !Self.matches("https://*.acme.example", browser))
    }

    @Test(arguments: [
        ("null", CORSOriginError.opaque), ("app.example", .schemeMissing), ("//app.example", .schemeMissing), ("https:app", .schemeMissing),
        ("://app.example", .schemeMissing), ("1s://app", .schemeMissing), ("https://", .hostInvalid), ("https://app.example/", .notOnlyOrigin),
        ("https://app.example/a", .notOnlyOrigin), ("https://a@app.example", .notOnlyOrigin), ("https://app.example?x", .notOnlyOrigin),
        ("https://App.example", .upperCase), ("HTTPS://app.example", .upperCase), ("https://app.example:443", .defaultPort),
        ("http://app.example:80", .defaultPort), ("https://app.example:", .portInvalid), ("https://app.example:0", .portInvalid),
        ("https://app.example:080", .portInvalid), ("https://app.example:65536", .portInvalid), ("https://app.example:*", .portInvalid),
        ("https://b\u{fc}cher.example", .notASCII), ("https://[::0001]", .addressNotNormal), ("https://[::1", .hostInvalid),
        ("https://[1]", .hostInvalid), ("https://a..example", .hostInvalid), ("https://.example", .hostInvalid),
        ("https://app.example.", .hostInvalid), ("https://*", .hostInvalid), ("https://*.", .hostInvalid), ("https://a.*.example", .hostInvalid),
        ("https://*.*.example", .hostInvalid), ("https://*.0.0.1", .hostInvalid), ("https://*.[::1]", .hostInvalid),
        ("https://*acme.example", .hostInvalid), ("https://a b.example", .hostInvalid),
    ])
    func `what no browser writes is an error of the policy`(text: String, error: CORSOriginError) {
        #expect(CORSOrigin.read(text) == .failure(error))
        #expect(!error.message.isEmpty)
    }
}
