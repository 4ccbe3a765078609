import Policy
import Testing

@Suite struct PathPatternTests {
    @Test(
        arguments: [
            ("/", [], .slash),
            ("/**", [], .rest),
            ("/a", [.literal("a")], .none),
            ("/a/", [.literal("a")], .slash),
            ("/a/{name}/b", [.literal("a"), .capture("name"), .literal("b")], .none),
            ("/files/**", [.literal("files")], .rest),
            ("/{a}/{b_2}", [.capture("a"), .capture("b_2")], .none),
            ("/%7euser/%c3%a4", [.literal("~user"), .literal("%C3%A4")], .none),
            ("/a:b@c;d=e,f", [.literal("a:b@c;d=e,f")], .none),
            ("/%2A", [.literal("%2A")], .none),
            ("/...", [.literal("...")], .none),
        ] as [(String, [PathPattern.Segment], PathPattern.Tail)])
    func `a pattern is segments and a tail`(text: String, segments: [PathPattern.Segment], tail: PathPattern.Tail)
        throws
    {
        let pattern = try PathPattern(text)
        #expect(pattern.segments == segments)
        #expect(pattern.tail == tail)
    }

    @Test func `captures are listed in the order they stand`() throws {
        #expect(try PathPattern("/{b}/x/{a}/**").captures == ["b", "a"])
    }

    @Test(
        arguments: [
            ("", .notAbsolute), ("a", .notAbsolute), ("*", .notAbsolute),
            ("//", .emptySegment), ("/a//b", .emptySegment),
            ("/./a", .dotSegment), ("/a/..", .dotSegment), ("/%2e%2E/a", .dotSegment),
            ("/%", .invalidEscape), ("/%4", .invalidEscape), ("/%zz", .invalidEscape), ("/%00", .invalidEscape),
            ("/%7f", .invalidEscape),
            ("/a{name}", .partialCapture), ("/{name}b", .partialCapture), ("/a}b", .partialCapture),
            ("/a*", .wildcard), ("/*", .wildcard), ("/**/a", .wildcard), ("/***", .wildcard),
            ("/a?b", .queryOrFragment), ("/a#b", .queryOrFragment),
            ("/a b", .invalidCharacter), ("/ä", .invalidCharacter), ("/a\u{1}", .invalidCharacter),
            ("/a\\b", .invalidCharacter),
            ("/{}", .invalidCapture("")), ("/{1a}", .invalidCapture("1a")), ("/{a-b}", .invalidCapture("a-b")),
            ("/{a}{b}", .invalidCapture("a}{b")),
            ("/{a}/{a}", .duplicateCapture("a")),
            ("/" + String(repeating: "a", count: 2048), .tooLong),
            (String(repeating: "/a", count: 33), .tooManySegments),
        ] as [(String, PathPatternError)])
    func `a pattern no path could match is refused`(text: String, error: PathPatternError) {
        #expect(throws: error) { try PathPattern(text) }
    }
}
