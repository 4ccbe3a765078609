import Testing

@testable import Gateway

@Suite struct RecentRecordsTests {
    static func line(_ id: String, _ rest: String = "") -> String {
        "{\"time\":\"2026-11-21T05:21:14.007Z\",\"request_id\":\"\(id)\",\"x\":\"\(rest)\"}\n"
    }

    @Test func `the line of a request is found, and the newest of two`() {
        var records = RecentRecords()
        records.add(Array((Self.line("a", "1") + Self.line("b")).utf8))
        records.add(Array(Self.line("a", "2").utf8))
        #expect(records.line(of: "a").map { String(decoding: $0, as: UTF8.self) + "\n" } == Self.line("a", "2"))
        #expect(records.line(of: "b") != nil && records.line(of: "c") == nil && records.line(of: "") == nil)
    }

    @Test func `an id that another request wrote into a value finds nothing`() {
        var records = RecentRecords()
        records.add(Array(Self.line("a", #"\",\"request_id\":\"b\","#).utf8))
        #expect(records.line(of: "b") == nil)
    }

    @Test func `the oldest go first, and the bound holds`() {
        var records = RecentRecords(byteLimit: 10 * Self.line("000").utf8.count)
        for number in 100..<500 { records.add(Array(Self.line(String(number)).utf8)) }
        #expect((100..<490).allSatisfy { records.line(of: String($0)) == nil })
        #expect((490..<500).allSatisfy { records.line(of: String($0)) != nil })
        records.add(Array(repeating: 0x20, count: 10_000))
        #expect(records.line(of: "499") != nil)
    }
}
