import Core
import Testing

@testable import Policy

struct PathNormaliserTests {
    /// The normal form; the reason when the path is refused.
    private func normalised(_ path: String, _ change: (inout PathRules) -> Void = { _ in }) -> String {
        var rules = PathRules()
        change(&rules)
        var output: [UInt8] = []
        switch PathNormaliser(rules).normalise(path.utf8.span, into: &output) {
        case .unchanged: return path
        case .rewritten: return String(decoding: output, as: UTF8.self)
        case .refused(let fault): return fault.rawValue
        }
    }

    @Test(arguments: [
        ("plain", "/a/b", "/a/b"),
        ("root", "/", "/"),
        ("empty path of an absolute target", "", "/"),
        ("slash at the end", "/a/", "/a/"),
        ("well-known", "/.well-known/x", "/.well-known/x"),
        ("three dots are a name", "/.../x", "/.../x"),
        ("dots within a name", "/a..b/c.", "/a..b/c."),
        ("encoded letter", "/%61dmin", "/admin"),
        ("encoded unreserved marks", "/%2D%2E%5F%7Ex", "/-._~x"),
        ("lower-case digits", "/caf%c3%a9", "/caf%C3%A9"),
        ("encoded space stays", "/a%20b", "/a%20b"),
        ("encoded percent sign stays, decoded once", "/%252e%252e/x", "/%252e%252e/x"),
        ("sub-delimiters stay", "/a;v=1,2/b!$&'()*+=:@", "/a;v=1,2/b!$&'()*+=:@"),
        ("doubled slashes", "//a///b", "/a/b"),
        ("doubled slash at the end", "/a//", "/a/"),
        ("only slashes", "///", "/"),
        ("dot segment", "/a/./b", "path_dot_segment"),
        ("double-dot segment", "/a/../b", "path_dot_segment"),
        ("double dot at the end", "/a/..", "path_dot_segment"),
        ("encoded dots", "/open/%2e%2e/secret", "path_dot_segment"),
        ("encoded dots in upper case", "/open/%2E%2E/secret", "path_dot_segment"),
        ("half-encoded dots", "/open/.%2e/secret", "path_dot_segment"),
        ("dots with parameters", "/open/..;/secret", "path_dot_segment"),
        ("dots with named parameters", "/open/..;a=b/secret", "path_dot_segment"),
        ("dots with an encoded semicolon", "/open/..%3b/secret", "path_dot_segment"),
        ("single dot with parameters", "/open/.;x/secret", "path_dot_segment"),
        ("encoded slash", "/open%2fsecret", "path_encoded_slash"),
        ("encoded backslash", "/open%5Csecret", "path_encoded_slash"),
        ("dots before an encoded slash", "/..%2fsecret", "path_encoded_slash"),
        ("encoded NUL", "/a%00.png", "path_control_character"),
        ("encoded line feed", "/a%0ab", "path_control_character"),
        ("encoded DEL", "/a%7f", "path_control_character"),
        ("overlong dot", "/%c0%ae%c0%ae/x", "path_encoding_invalid"),
        ("overlong slash", "/a%c0%afb", "path_encoding_invalid"),
        ("lone continuation byte", "/a%80", "path_encoding_invalid"),
        ("character cut short", "/a%e2%82/b", "path_encoding_invalid"),
        ("character cut by a plain byte", "/a%e2x", "path_encoding_invalid"),
        ("encoded surrogate", "/%ed%a0%80", "path_encoding_invalid"),
        ("beyond Unicode", "/%f4%90%80%80", "path_encoding_invalid"),
        ("percent sign alone", "/a%", "path_escape_invalid"),
        ("one digit", "/a%4", "path_escape_invalid"),
        ("no digits", "/a%zz", "path_escape_invalid"),
        ("backslash", "/a\\..\\b", "path_escape_invalid"),
        ("space", "/a b", "path_escape_invalid"),
        ("raw control", "/a\u{1}", "path_escape_invalid"),
        ("no slash at the beginning", "a/b", "path_escape_invalid"),
    ])
    func `path tricks`(trick: String, path: String, expected: String) {
        #expect(normalised(path) == expected, "\(trick)")
    }

    @Test(arguments: [
        ("/a/./b", "/a/b"), ("/a/../b", "/b"), ("/a/b/..", "/a/"), ("/a/b/.", "/a/b/"), ("/a/%2e%2E/b", "/b"),
        ("/a/..", "/"), ("/..", "path_dot_segment"), ("/a/../../b", "path_dot_segment"),
        ("/a/..;x/b", "path_dot_segment"), ("/a//../b", "/b"),
    ])
    func `dot segments are removed where the policy says so, but never above the root`(path: String, expected: String) {
        #expect(normalised(path) { $0.dotSegments = .remove } == expected)
    }

    @Test func `encoded slashes are kept where the policy says so`() {
        #expect(normalised("/a%2fb%5cc") { $0.encodedSlash = .keep } == "/a%2Fb%5Cc")
        #expect(normalised("/a/..%2fb") { $0.encodedSlash = .keep } == "/a/..%2Fb")
    }

    @Test(arguments: ["//a", "/a//b", "/a//"])
    func `empty segments are refused where the policy says so`(path: String) {
        #expect(normalised(path) { $0.emptySegments = .reject } == "path_empty_segment")
        #expect(normalised("/a/") { $0.emptySegments = .reject } == "/a/")
    }

    @Test func `the normal form of a normal form is itself`() {
        var generator = SplitMix(state: 11)
        let pieces = ["/", "a", ".", "%2e", "%61", "%c3%a9", "%20", ";", "b", "//", "..", "%25", "-", "%"]
        for _ in 0..<20_000 {
            var path = "/"
            for _ in 0..<generator.next(below: 8) { path += pieces[generator.next(below: pieces.count)] }
            let once = normalised(path) { $0.dotSegments = .remove }
            guard once.hasPrefix("/") else { continue }
            #expect(normalised(once) { $0.dotSegments = .remove } == once, "\(path)")
        }
    }
}

/// Numbers that are the same in every run.
struct SplitMix {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var word = state
        word = (word ^ word >> 30) &* 0xBF58_476D_1CE4_E5B9
        word = (word ^ word >> 27) &* 0x94D0_49BB_1331_11EB
        return word ^ word >> 31
    }

    mutating func next(below bound: Int) -> Int { Int(next() % UInt64(bound)) }
}
