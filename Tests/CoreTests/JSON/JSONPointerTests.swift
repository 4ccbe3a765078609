import Core
import Testing

struct JSONPointerTests {
    /// The document of RFC 6901 §5.
    private let document = #"""
        {"foo":["bar","baz"],"":0,"a/b":1,"c%d":2,"e^f":3,"g|h":4,"i\\j":5,"k\"l":6," ":7,"m~n":8,"n":null}
        """#

    @Test(arguments: [
        ("/foo", #"["bar","baz"]"#), ("/foo/0", #""bar""#), ("/foo/1", #""baz""#), ("/", "0"), ("/a~1b", "1"),
        ("/c%d", "2"), ("/e^f", "3"), ("/g|h", "4"), ("/i\\j", "5"), ("/k\"l", "6"), ("/ ", "7"), ("/m~0n", "8"),
        ("/n", "null"),
    ])
    func `a pointer leads to its node`(pointer: String, text: String) throws {
        let node = try parsed(document)
        #expect(node.resolve(pointer: pointer).map(serialised) == text)
        #expect(JSONPointer(pointer)?.resolve(in: node).map(serialised) == text)
    }

    @Test func `the empty pointer is the document`() throws {
        let node = try parsed(document)
        #expect(node.resolve(pointer: "").map(serialised) == serialised(node))
    }

    @Test(arguments: [
        "/bar", "/foo/2", "/foo/-", "/foo/00", "/foo/01", "/foo/+1", "/foo/99999999999999999999", "/foo/", "/foo/0/x",
        "/n/x", "/foo/bar", "//",
    ])
    func `a pointer to nothing leads nowhere`(pointer: String) throws {
        #expect(JSONPointer(pointer) != nil)
        #expect(try parsed(document).resolve(pointer: pointer) == nil)
    }

    @Test(arguments: ["foo", "/~", "/~2", "/a~", " /foo"])
    func `a malformed pointer is refused`(pointer: String) throws {
        #expect(JSONPointer(pointer) == nil)
        #expect(try parsed(document).resolve(pointer: pointer) == nil)
    }

    @Test func `names are compared byte for byte`() throws {
        // U+212A KELVIN SIGN equals "K" for Swift's strings.
        let node = try parsed(#"{"\u212A":1,"\u00e9":2}"#)
        #expect(node["K"] == nil)
        #expect(node["\u{212A}"] != nil)
        #expect(node["e\u{301}"] == nil)
        #expect(node.resolve(pointer: "/K") == nil)
    }

    @Test func `a tilde escape is undone once`() throws {
        #expect(try parsed(#"{"~1":1}"#).resolve(pointer: "/~01").map(serialised) == "1")
    }

    @Test(arguments: [
        (#"{"a":1}"#, "/b", #"{"a":1,"b":"v"}"#), (#"{"a":1}"#, "/a", #"{"a":"v"}"#), ("{}", "/a/b", #"{"a":{"b":"v"}}"#),
        (#"{"a":null}"#, "/a/b/c", #"{"a":{"b":{"c":"v"}}}"#), (#"{"a":[1,null]}"#, "/a/1", #"{"a":[1,"v"]}"#), ("[]", "", #""v""#),
        (#"{"a":[1,null]}"#, "/a/1/b", #"{"a":[1,{"b":"v"}]}"#), ("{}", "/a~1b", #"{"a/b":"v"}"#),
    ])
    func `a value is put where a pointer leads, and what is missing on the way is made`(
        text: String, pointer: String, result: String
    ) throws {
        let value = try parsed(#""v""#)
        #expect(try JSONPointer(pointer)?.setting(value, in: parsed(text)).map(serialised) == result)
    }

    @Test(arguments: [
        ("1", "/a"), (#"{"a":"x"}"#, "/a/b"), (#"{"a":[]}"#, "/a/0"), (#"{"a":[1]}"#, "/a/b"), (#"{"a":true}"#, "/a/b"),
        (#"{"\u212A":1}"#, "/K"),
    ])
    func `and not through values of other kinds`(text: String, pointer: String) throws {
        #expect(try JSONPointer(pointer)?.setting(parsed("1"), in: parsed(text)) == nil)
    }
}
