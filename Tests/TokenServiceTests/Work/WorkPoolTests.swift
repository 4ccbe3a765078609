import Policy
import Synchronization
import Testing

@testable import TokenService

struct WorkPoolTests {
    /// What was done, in its order; what was not wanted any more has a mark.
    private final class Done: Sendable {
        let names = Mutex<[String]>([])

        func note(_ name: String) -> @Sendable (Bool) -> Void {
            { isWanted in self.names.withLock { $0.append(isWanted ? name : "no \(name)") } }
        }

        var all: [String] { names.withLock { $0 } }
    }

    private static let (ada, bob) = (Requester.caller("ada"), Requester.caller("bob"))

    @Test func `so many pieces are under way, two of one caller, and one more of the administrator`() {
        let (threads, done) = (ScriptedThreads(), Done())
        let pool = WorkPool(width: 3, execute: threads.execute)
        for number in 0..<5 { #expect(pool.submit(for: Self.ada, done.note("ada \(number)"))) }
        #expect(threads.count == 2)
        for number in 0..<3 { #expect(pool.submit(for: Self.bob, done.note("bob \(number)"))) }
        #expect(threads.count == 3)
        #expect(pool.submit(for: .administrator, done.note("administrator")))
        #expect(threads.count == 4)
        threads.runAll()
        #expect(done.all.count == 9 && Set(done.all.prefix(4)) == ["ada 0", "ada 1", "bob 0", "administrator"])
    }

    @Test func `what the administrator asks for waits for no caller, and begins next where it has to wait`() {
        let (threads, done) = (ScriptedThreads(), Done())
        let pool = WorkPool(width: 1, execute: threads.execute)
        for number in 0..<3 { #expect(pool.submit(for: Self.ada, done.note("ada \(number)"))) }
        #expect(pool.submit(for: .administrator, done.note("first")))
        #expect(pool.submit(for: .administrator, done.note("second")))
        #expect(threads.count == 2)
        threads.runAll()
        #expect(done.all == ["ada 0", "first", "second", "ada 1", "ada 2"])
    }

    @Test func `the line of one caller ends, that of another does not`() {
        let (threads, done) = (ScriptedThreads(), Done())
        let pool = WorkPool(width: 1, waitingPerCaller: 2, execute: threads.execute)
        let taken = (0..<10).map { pool.submit(for: Self.ada, done.note("ada \($0)")) }
        #expect(taken == [true, true, true] + Array(repeating: false, count: 7))
        #expect(pool.submit(for: Self.bob, done.note("bob")))
        threads.runAll()
        #expect(done.all == ["ada 0", "bob", "ada 1", "ada 2"] || done.all == ["ada 0", "ada 1", "bob", "ada 2"])
    }

    @Test func `the work of clients that have gone away leaves the line`() {
        let (threads, done) = (ScriptedThreads(), Done())
        let pool = WorkPool(width: 1, waitingPerCaller: 2, execute: threads.execute)
        let interests = (0..<3).map { _ in ActionInterest() }
        for (number, interest) in interests.enumerated() {
            #expect(pool.submit(for: Self.ada, interest: interest, done.note("ada \(number)")))
        }
        #expect(!pool.submit(for: Self.ada, done.note("refused")))
        interests[1].leave()
        #expect(pool.submit(for: Self.ada, done.note("later")))
        interests[2].leave()
        threads.runAll()
        #expect(Set(done.all) == ["ada 0", "no ada 1", "no ada 2", "later"])
    }
}
