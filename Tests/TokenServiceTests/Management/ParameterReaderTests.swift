import Core
import Testing

@testable import TokenService

struct ParameterReaderTests {
    private static let start = SourcePosition(line: 1, column: 1)

    private static func members(_ range: Range<Int>) -> [JSONMember] {
        range.map { JSONMember(name: "m\($0)", namePosition: start, node: JSONNode(.string("v\($0)"), at: start)) }
    }

    @Test func `as many members as may be are read, each by its name`() {
        var reader = ParameterReader()
        reader.add(Self.members(0..<ParameterReader.memberLimit), isSpelled: false)
        for number in 0..<ParameterReader.memberLimit { #expect(reader.text("m\(number)") == "v\(number)") }
        reader.complainOfUnknown()
        #expect(reader.messages == [])
    }

    @Test func `of too many members none is looked at, and one sentence says so`() {
        var reader = ParameterReader()
        reader.add(Self.members(0..<7200), isSpelled: false)
        reader.complainOfUnknown()
        #expect(reader.names == [])
        #expect(reader.messages == ["Parameters are too many (maximum is 100)"])
    }

    @Test func `query and content are bounded together, and a nested object by itself`() {
        var reader = ParameterReader()
        reader.add(Self.members(0..<60), isSpelled: true)
        reader.add(Self.members(60..<120), isSpelled: false)
        #expect(reader.names.count == 60)
        #expect(reader.messages == ["Parameters are too many (maximum is 100)"])

        var outer = ParameterReader()
        let inner = JSONNode(.object(Self.members(0..<101)), at: Self.start)
        outer.add([JSONMember(name: "user", namePosition: Self.start, node: inner)], isSpelled: false)
        #expect(outer.object("user")?.messages == ["Parameters are too many (maximum is 100)"])
    }

    @Test func `a name that query and content both have is given twice`() {
        var reader = ParameterReader()
        reader.add(Self.members(0..<2), isSpelled: true)
        reader.add(Self.members(1..<3), isSpelled: false)
        #expect(reader.messages == ["m1 is given twice"])
        #expect(reader.names == ["m0", "m1", "m2"])
    }

    @Test(arguments: [
        ("_", "_ is not a known parameter"), ("max_result", "max_result is not a known parameter"),
        (" ", "\" \" is not a known parameter"), ("", "\"\" is not a known parameter"),
        ("a b", "\"a b\" is not a known parameter"), ("é", "\"é\" is not a known parameter"),
        (String(repeating: "x", count: 99), String(repeating: "x", count: 64) + " is not a known parameter"),
        ("e" + String(repeating: "\u{301}", count: 999), "\"e" + String(repeating: "\u{301}", count: 63) + "\" is not a known parameter"),
    ])
    func `a name that nobody knows is shown as it is, as far as it can be`(name: String, message: String) {
        var reader = ParameterReader()
        reader.add([JSONMember(name: name, namePosition: Self.start, node: JSONNode(.bool(true), at: Self.start))], isSpelled: false)
        reader.complainOfUnknown()
        #expect(reader.messages == [message])
    }

    @Test(arguments: [
        ("true", true), ("false", false), ("1", true), ("0", false), ("", nil), ("yes", nil), ("True", nil), ("01", nil), ("2", nil),
    ])
    func `truth values are spelled in two ways in queries, and in JSON not at all`(text: String, value: Bool?) throws {
        for isSpelled in [true, false] {
            var reader = ParameterReader()
            let node = JSONNode(.string(text), at: Self.start)
            reader.add([JSONMember(name: "force", namePosition: Self.start, node: node)], isSpelled: isSpelled)
            #expect(reader.boolean("force") == (isSpelled ? value : nil))
            #expect(reader.messages == (isSpelled && value != nil ? [] : ["Force is not true or false"]))
        }
    }

    @Test func `nothing between two ampersands is nothing, and what is given twice is named`() throws {
        var reader = ParameterReader()
        try reader.add(query: Array("&expires_in=3600&".utf8))
        #expect(reader.integer("expires_in", in: 1...9999) == 3600)
        #expect(reader.messages == [])
        let refused: (String) -> [String]? = { query in
            do throws(ActionRefusal) { try reader.add(query: Array(query.utf8)) } catch { return error.messages }
            return nil
        }
        #expect(refused("a=1&realm_id=x&realm_id=x") == ["realm_id is given twice"])
        #expect(refused("=1") == ["Query is malformed"])
    }
}
