import Testing

@testable import TokenService

struct FairLineTests {
    /// Holds a line, since an expectation takes no mutating call.
    private final class Held {
        var line: FairLine<String>

        init(_ bounds: FairLine<String>.Bounds = .init()) { line = FairLine(bounds) }

        func add(_ work: String, for requester: Requester) -> Bool { line.add(work, for: requester) }
        func next() -> String? { line.nextOfCaller()?.work }
        func finish(_ requester: Requester) { line.finish(requester) }

        /// What comes out, one after the other, each finished before the next is taken.
        func drained() -> [String] {
            var order: [String] = []
            while true {
                if let urgent = line.nextUrgent() {
                    order.append(urgent)
                } else if let next = line.nextOfCaller() {
                    order.append(next.work)
                    line.finish(next.requester)
                } else {
                    return order
                }
            }
        }
    }

    private static let (ada, bob) = (Requester.caller("ada"), Requester.caller("bob"))

    @Test func `callers take turns, however much one of them has asked for before`() {
        let line = Held()
        for number in 0..<4 { #expect(line.add("ada \(number)", for: Self.ada)) }
        for number in 0..<2 { #expect(line.add("bob \(number)", for: Self.bob)) }
        #expect(line.drained() == ["ada 0", "bob 0", "ada 1", "bob 1", "ada 2", "ada 3"])
        #expect(line.line.isEmpty)
    }

    @Test func `the administrator is ahead of all callers`() {
        let line = Held(.init(waiting: 1))
        #expect(line.add("ada", for: Self.ada))
        #expect(!line.add("bob", for: Self.bob))
        #expect(line.add("first", for: .administrator) && line.add("second", for: .administrator))
        #expect(line.drained() == ["first", "second", "ada"])
    }

    @Test func `one caller has so much under way and no more`() {
        let line = Held(.init(underWayPerCaller: 2))
        for number in 0..<4 { #expect(line.add("ada \(number)", for: Self.ada)) }
        #expect(line.next() == "ada 0" && line.next() == "ada 1")
        #expect(line.next() == nil)
        #expect(line.add("bob", for: Self.bob))
        #expect(line.next() == "bob")
        line.finish(Self.ada)
        #expect(line.next() == "ada 2")
        #expect(line.next() == nil)
    }

    @Test func `one caller has so much waiting, and leaves room for others`() {
        let line = Held(.init(underWayPerCaller: 1, waitingPerCaller: 2, waiting: 3))
        #expect(line.add("0", for: Self.ada) && line.add("1", for: Self.ada) && !line.add("2", for: Self.ada))
        #expect(line.add("3", for: Self.bob) && !line.add("4", for: Self.bob))
        #expect(line.next() == "0")
        #expect(line.add("5", for: Self.ada))
    }

    @Test func `what is removed makes room and loses its turn`() {
        let line = Held(.init(waiting: 3))
        for work in ["gone 0", "stays", "gone 1"] { #expect(line.add(work, for: work == "stays" ? Self.bob : Self.ada)) }
        let removed = line.line.removeAll { $0.hasPrefix("gone") }
        #expect(Set(removed) == ["gone 0", "gone 1"])
        #expect(line.add("ada", for: Self.ada) && line.add("bob", for: Self.bob) && !line.add("more", for: Self.bob))
        #expect(line.drained().sorted() == ["ada", "bob", "stays"])
        #expect(line.line.isEmpty)
    }

    @Test func `a queue gives what it was given in order, over many rounds`() {
        var queue = FIFO<Int>()
        var expected = 0
        for number in 0..<1000 {
            queue.append(number)
            if number % 3 != 0 {
                let next = queue.popFirst()
                #expect(next == expected)
                expected += 1
            }
        }
        #expect(queue.count == 1000 - expected)
        while let next = queue.popFirst() {
            #expect(next == expected)
            expected += 1
        }
        #expect(expected == 1000 && queue.isEmpty)
    }
}
