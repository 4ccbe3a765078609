import Testing

@testable import HTTP2

/// What is remembered of streams that are not open.
@Suite struct StreamHistoryTests {
    @Test func `a stream is idle, closed, reset or was never opened`() {
        var history = StreamHistory()
        #expect(history.past(of: 1) == .idle)
        history.opened(1)
        history.opened(3)
        history.opened(9)
        history.opened(11)
        history.reset(3)
        #expect(history.past(of: 1) == .closed && history.past(of: 3) == .reset && history.past(of: 13) == .idle)
        #expect(history.past(of: 5) == .skipped && history.past(of: 7) == .skipped && history.past(of: 9) == .closed)
        history.opened(5)
        #expect(history.past(of: 5) == .skipped && history.past(of: 13) == .idle)
    }

    @Test func `a first stream above 1 leaves the lower ones out`() {
        var history = StreamHistory()
        history.opened(5)
        #expect(history.past(of: 1) == .skipped && history.past(of: 3) == .skipped && history.past(of: 5) == .closed)
        history.opened(.max)
        #expect(history.past(of: .max) == .closed && history.past(of: .max - 2) == .skipped)
    }

    @Test func `resets are remembered in bounded memory, the newest of them`() {
        var history = StreamHistory()
        let limit = Int32(StreamHistory.resetLimit)
        for index in 0..<2 * limit {
            history.opened(2 * index + 1)
            history.reset(2 * index + 1)
            history.reset(2 * index + 1)
        }
        #expect(history.past(of: 2 * limit - 1) == .closed && history.past(of: 2 * limit + 1) == .reset)
        #expect(history.past(of: 4 * limit - 1) == .reset && history.past(of: 1) == .closed)
    }
}
