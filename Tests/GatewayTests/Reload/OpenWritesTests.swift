import Core
import Glibc
import Testing

@testable import Gateway

@Suite struct OpenWritesTests {
    private static func at(_ seconds: Int64) -> Instant { Instant(nanoseconds: seconds * 1_000_000_000) }

    private func writes(after events: [Int32], isEmptyFile: Bool = false) -> OpenWrites {
        var writes = OpenWrites()
        for mask in events {
            writes.note(DirectoryEvent(watch: 1, mask: UInt32(mask), name: "keys.jsonl"), now: Self.at(0)) { isEmptyFile }
        }
        return writes
    }

    @Test(arguments: [
        [IN_MODIFY], [IN_MODIFY, IN_MODIFY], [IN_MODIFY, IN_ATTRIB], [IN_CLOSE_WRITE, IN_MODIFY], [IN_MOVED_TO, IN_MODIFY],
    ])
    func `a file whose last change was not closed is being written to`(events: [Int32]) {
        #expect(!writes(after: events).isEmpty)
    }

    @Test(arguments: [
        [IN_MODIFY, IN_CLOSE_WRITE], [IN_MODIFY, IN_MOVED_TO], [IN_MODIFY, IN_DELETE], [IN_MODIFY, IN_MOVED_FROM],
        [IN_MODIFY, IN_CREATE], [IN_ATTRIB],
    ])
    func `one that was closed, or is another file now, is not`(events: [Int32]) { #expect(writes(after: events).isEmpty) }

    @Test func `a new file without content is about to be written, a link to one that has some is not`() {
        #expect(!writes(after: [IN_CREATE], isEmptyFile: true).isEmpty)
        #expect(writes(after: [IN_CREATE], isEmptyFile: false).isEmpty)
        #expect(writes(after: [IN_CREATE, IN_CLOSE_WRITE], isEmptyFile: true).isEmpty)
    }

    @Test func `a writer that never closes is named after a second and waited for half a minute`() {
        var writes = writes(after: [IN_MODIFY])
        #expect(writes.nextDue == Self.at(1) && writes.takeUnreported(now: Self.at(0)) == [])
        #expect(writes.takeUnreported(now: Self.at(1)) == ["keys.jsonl"])
        #expect(writes.takeUnreported(now: Self.at(2)) == [] && writes.nextDue == Self.at(30))
        // What it goes on writing does not put that off.
        writes.note(DirectoryEvent(watch: 1, mask: UInt32(IN_MODIFY), name: "keys.jsonl"), now: Self.at(29)) { false }
        #expect(writes.takeExpired(now: Self.at(29)) == [] && !writes.isEmpty)
        #expect(writes.takeExpired(now: Self.at(30)) == ["keys.jsonl"] && writes.isEmpty)
    }

    @Test func `a directory that is no longer watched has no writers`() {
        var writes = writes(after: [IN_MODIFY])
        writes.keep { $0 == 2 }
        #expect(writes.isEmpty)
    }
}
