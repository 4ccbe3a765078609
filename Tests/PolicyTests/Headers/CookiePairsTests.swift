import Core
import Testing

@testable import Policy

struct CookiePairsTests {
    private func rest(_ field: String) -> String? {
        CookiePairs.rest(of: Array(field.utf8).span, without: [ParameterName("sid")]).map { String(decoding: $0, as: UTF8.self) }
    }

    @Test(arguments: [
        ("sid=a", ""), ("a=1; sid=x; b=2", "a=1; b=2"), ("SID=a; b=\"2\"", "b=\"2\""), ("a=1, sid=x; b=2", "b=2"), (" sid =x;b", "b"),
        ("sid[0]=x; b=%20", "b=%20"), ("\"sid\"=x", ""), ("s%69d=x; b=1", "b=1"), ("a=\"x; sid=y\"", "a=\"x"), ("sid.sig=x", ""),
    ])
    func `a cookie that some parser takes for the credential does not go on`(field: String, left: String) {
        #expect(rest(field) == left)
    }

    @Test(arguments: ["", "a=1", "sids=1; side=2", "a=sid; b=\"sid\"", "xsid=1"])
    func `other cookies stay as they are`(field: String) {
        #expect(rest(field) == nil)
    }
}
