import Testing

@testable import Policy

struct RealmContentTests {
    /// The value, "none", or the reason of the refusal.
    private static func found(_ content: String, _ mediaType: String?) -> String {
        do throws(Denial) {
            return try RealmContent.value(of: "realm_id", in: Array(content.utf8), mediaType: mediaType) ?? "none"
        } catch { return error.reason }
    }

    @Test(arguments: [
        (#"{"realm_id":"one"}"#, "one"), (#" {"a":[{"realm_id":"two"}], "realm\u005fid":"one"} "#, "one"), ("", "none"),
        (#"{"a":{"realm_id":"one"}}"#, "none"), (#"{"Realm_id":"one"}"#, "none"), (#"{"realm_id":""}"#, ""),
        (#"{"realm_id":"one","realm_id":"one"}"#, "content_malformed"), (#"{"realm_id":1}"#, "realm_missing"),
        (#"{"realm_id":null}"#, "realm_missing"), (#"{"realm_id":["one"]}"#, "realm_missing"),
        (#"["realm_id"]"#, "content_malformed"), ("null", "content_malformed"), ("{", "content_malformed"),
        (String(repeating: "[", count: 70), "content_malformed"), ("\u{FEFF}{}", "content_malformed"),
    ])
    func `JSON names a realm in a member of its own`(content: String, value: String) {
        #expect(Self.found(content, "application/json") == value)
    }

    @Test(arguments: [
        ("realm_id=one", "one"), ("a=b&&realm%5Fid=one&c", "one"), ("a=realm_id%3Done", "none"), ("", "none"), ("realm_id", ""),
        ("realm_id=o+n%65", "o ne"), ("user[realm_id]=one", "none"), ("realm_idx=one", "none"), ("xrealm_id=one", "none"),
        ("realm_id=one&realm_id=one", "realm_conflict"), ("realm_id=one&realm%5fid=two", "realm_conflict"),
        ("realm_id[]=one", "realm_missing"), ("realm_id%5Bx%5D=one", "realm_missing"), ("a=b&realm_id=%zz", "content_malformed"),
        ("%=b&realm_id=one", "content_malformed"), ("realm_id=%4", "content_malformed"),
    ])
    func `a form names a realm in a parameter of its own`(content: String, value: String) {
        #expect(Self.found(content, "application/x-www-form-urlencoded") == value)
    }

    @Test(arguments: ["text/plain", "multipart/form-data", "application/vnd.api+json", nil])
    func `other content is not read`(mediaType: String?) {
        #expect(Self.found(#"{"realm_id":"one"}"#, mediaType) == "content_type_not_supported")
    }
}
