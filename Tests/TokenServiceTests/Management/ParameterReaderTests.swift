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
        #expect(reader.messages == ["M1 is given twice"])
        #expect(reader.names == ["m0", "m1", "m2"])
    }
}
