import Core
import Testing

@testable import TokenService

struct RecordIDTests {
    @Test func `ids sort by the time they were made`() {
        let start = WallTime(seconds: 1_800_000_000)
        let ids = (0..<200).map { RecordID.make(.jwtKey, at: start.advanced(by: .milliseconds(Int64($0) * 7))) }
        #expect(ids == ids.sorted() && Set(ids).count == ids.count)
        #expect(ids.allSatisfy { $0.hasPrefix("jky_") && $0.utf8.count == 26 })
    }

    @Test(arguments: RecordID.Kind.allCases)
    func `ids of one moment differ`(kind: RecordID.Kind) {
        let ids = (0..<1000).map { _ in RecordID.make(kind, at: WallTime(seconds: 1_800_000_000)) }
        #expect(Set(ids).count == 1000)
    }

    @Test(arguments: [WallTime.distantPast, .distantFuture, WallTime(seconds: 0)])
    func `a clock far off makes ids all the same`(time: WallTime) {
        #expect(RecordID.make(.event, at: time).utf8.count == 26)
    }
}
