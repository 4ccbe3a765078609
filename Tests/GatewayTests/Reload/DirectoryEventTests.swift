import Testing

@testable import Gateway

@Suite struct DirectoryEventTests {
    /// Two events as inotify(7) lays them out: a write to `a.json`, and one about the directory itself.
    static let bytes: [UInt8] =
        [1, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 16, 0, 0, 0] + Array("a.json".utf8) + [UInt8](repeating: 0, count: 10)
        + [2, 0, 0, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]

    @Test func `events are taken apart with and without names`() {
        let events = DirectoryEvent.parse(Self.bytes.span)
        #expect(
            events == [
                DirectoryEvent(watch: 1, mask: 2, name: "a.json"), DirectoryEvent(watch: 2, mask: 0x400, name: ""),
            ])
        #expect(events[0].isModification && !events[0].concernsDirectory)
        #expect(!events[1].isModification && events[1].concernsDirectory)
    }

    @Test func `cut bytes give the events that are whole enough and never trap`() {
        for count in 0..<Self.bytes.count {
            #expect(DirectoryEvent.parse(Self.bytes.span.extracting(0..<count)).count == (count < 16 ? 0 : 1))
        }
    }
}
