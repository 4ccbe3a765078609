import Testing

@testable import Gateway

struct BusiestNamesTests {
    private func name(_ number: Int) -> [UInt8] { Array("key-\(number)".utf8) }

    @Test func `names come back with their counts, the most counted first`() {
        var names = BusiestNames()
        for number in 0..<5 { for _ in 0...number { names.add(name(number)) } }
        #expect(names.top(2).map(\.name) == [name(4), name(3)])
        #expect(names.top(2).map(\.count) == [5, 4])
        #expect(names.top(9).count == 5)
    }

    @Test func `a flood of names that come once pushes nobody out who comes often`() {
        var names = BusiestNames()
        for number in 0..<20_000 {
            names.add(name(number))
            if number % 10 == 0 { names.add(Array("busy".utf8)) }
        }
        let first = names.top(1)[0]
        #expect(first.name == Array("busy".utf8))
        #expect(first.count >= 2000)
        #expect(first.count - first.overestimate <= 2000)
        #expect(names.top(1000).count == BusiestNames.capacity)
    }

    @Test func `merging adds counts of the same name`() {
        var one = BusiestNames()
        var other = BusiestNames()
        one.add(name(1))
        other.add(name(1))
        other.add(name(2))
        one.merge(other)
        #expect(one.top(2).map(\.count) == [2, 1])
    }

    @Test func `a long name is cut, so that memory is bounded`() {
        var names = BusiestNames()
        names.add([UInt8](repeating: 0x61, count: 5000))
        #expect(names.top(1)[0].name.count == BusiestNames.nameBytes)
    }
}
