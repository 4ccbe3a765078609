import Core
import Testing

@testable import Policy

struct RealmContentTests {
    /// The values, those deeper behind a "/", "none", or the reason of the refusal.
    private static func found(_ content: String, _ mediaType: String?) -> String {
        do throws(Denial) {
            let found = try RealmContent.realms(named: ParameterName("realm_id"), in: Array(content.utf8), mediaType: mediaType)
            let text = found.named.joined(separator: " ") + (found.deeper.isEmpty ? "" : "/" + found.deeper.joined(separator: " "))
            return found == NamedRealms() ? "none" : text
        } catch { return error.reason }
    }

    @Test(arguments: [
        (#"{"realm_id":"one"}"#, "one"), (#" {"a":[{"realm_id":"two"}], "realm\u005fid":"one"} "#, "one/two"), ("", "none"),
        (#"{"a":{"realm_id":"one"}}"#, "one"), (#"{"a":{"realm\u005fid":"one"},"b":{"realm_id":"two"},"c":{"realm_id":"three"}}"#, "one two"),
        (#"{"a":{"b":{"realm_id":"one"}}}"#, "/one"), (#"{"a":[[{"b":{"realm_id":"one"}},{"realm_id":"two"}]]}"#, "/one two"),
        (#"{"realm_id":"one","a":{"realm_id":"one"},"b":{"c":{"realm_id":"one"}}}"#, "one/one"),
        (#"{"a":{"realm_id":"one","realm_id":"two"}}"#, "content_malformed"), (#"{"a":{"realm_id":7}}"#, "realm_missing"),
        (#"{"a":{"b":{"realm_id":7}}}"#, "realm_ambiguous"), (#"{"a":{"realm_id":{"realm_id":"one"}}}"#, "realm_missing"), (#"{"realm_id":""}"#, ""),
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
        ("realm_id=o+n%65", "o ne"), ("user[realm_id]=one", "one"),
        ("user%5Brealm_id%5D=one&org[realm%5Fid]=two", "one two"), ("user[a][realm_id]=one", "/one"),
        ("user[][realm_id]=one&user[][realm_id]=two&user[][realm_id]=two", "/one two"), ("user[realm_id]=one&user[realm_id]=one", "realm_conflict"),
        ("user[a][realm_id]=one&user[a][realm_id]=one", "realm_conflict"), ("user[xrealm_id]=one&user[realm_idx]=one", "none"), ("realm_idx=one", "none"), ("xrealm_id=one", "none"),
        ("realm_id=one&realm_id=one", "realm_conflict"), ("realm_id=one&realm%5fid=two", "realm_conflict"),
        ("a=b&realm_id=%zz", "content_malformed"),
        ("%=b&realm_id=one", "content_malformed"), ("realm_id=%4", "content_malformed"),
    ])
    func `a form names a realm in a parameter of its own`(content: String, value: String) {
        #expect(Self.found(content, "application/x-www-form-urlencoded") == value)
    }

    @Test(arguments: [
        #"{"Realm_id":"one"}"#, #"{"realm_id":"one","REALM_ID":"two"}"#, #"{"realmId":"one"}"#, #"{"realm_id[]":"one"}"#, #"{"realm_id\u0000":"one"}"#,
        #"{" realm_id":"one"}"#, #"{"realm_\u0131d":"one"}"#, #"{"__proto__":{"realm_id":"one"}}"#, #"{"\ufeffrealm_id":"one"}"#,
        #"{"user":{"Realm_id":"one"}}"#, #"{"a":{"b":[{"realmId":"one"}]}}"#, #"{"user[realm_id]":"one"}"#, #"{"user.realm_id":"one"}"#,
        #"{"a":{"b":{"realm_id ":"one"}}}"#,
    ])
    func `a member that some parser takes for the realm's is refused`(content: String) {
        #expect(Self.found(content, "application/json") == "realm_ambiguous")
    }

    @Test(arguments: [
        "realm_id[]=one", "realm_id%5Bx%5D=one", "Realm_id=one", "realm_id=one&REALM_ID=two", "a=1;realm_id=one", "a;realm_id=one", "realm.id=one",
        "realm+id=one", "+realm_id=one", "realm_id%00=one", "realm%255Fid=one", "[realm_id]=one", "realm_id.x=one", "__proto__[realm_id]=one",
        "user[realm_id=one", "user[realm_id][]=one", "user[realm_id][x]=one", "user.realm_id=one", "user%255Brealm_id%255D=one", "user[REALM_ID]=one",
        "a=1;user[realm_id]=one", "user][realm_id]=one", "user[][realm_id=one", "realm_id[realm_id]=one", "a%26user[realm_id]=one",
    ])
    func `a parameter that some parser takes for the realm's is refused`(content: String) {
        #expect(Self.found(content, "application/x-www-form-urlencoded") == "realm_ambiguous")
    }

    @Test(arguments: [
        ("_charset_=cp037", "content_type_not_supported"), ("_charset_=utf-8&realm_id=one", "one"), ("x=%FF&realm_id=one", "content_malformed"),
        (String(repeating: "a&", count: 1000), "content_malformed"), (String(repeating: "a&", count: 999) + "realm_id=one", "one"),
    ])
    func `a form that names its own encoding, or cannot be read for sure, is refused`(content: String, value: String) {
        #expect(Self.found(content, "application/x-www-form-urlencoded") == value)
    }

    @Test(arguments: ["text/plain", "multipart/form-data", "application/vnd.api+json", "text/json", "application/x-ndjson", nil])
    func `other content is not read`(mediaType: String?) {
        #expect(Self.found(#"{"realm_id":"one"}"#, mediaType) == "content_type_not_supported")
    }
}
