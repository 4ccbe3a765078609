import Dispatch
import Synchronization
import Testing

@testable import Gateway

@Suite struct BufferLedgerTests {
    @Test func `the bound is reached at its last byte, and left when an eighth is free`() {
        let ledger = BufferLedger(limit: 800, loops: 1)
        #expect(!ledger.add(799))
        #expect(ledger.add(1) && ledger.isFull)
        #expect(ledger.add(-99))
        #expect(!ledger.add(-1) && !ledger.isFull)
        #expect(ledger.add(100))
        #expect(ledger.values.timesReached == 2 && ledger.values.bytes == 800)
    }

    @Test func `a new bound counts at once`() {
        let ledger = BufferLedger(limit: 1000, loops: 1)
        _ = ledger.add(500)
        ledger.adopt(limit: 500)
        #expect(ledger.isFull)
        ledger.adopt(limit: 1000)
        #expect(!ledger.isFull)
    }

    @Test(arguments: [(1, 1_048_576), (2, 1_048_576), (64, 1_048_576), (64, 8 << 30), (1, 8 << 30)])
    func `what loops keep to themselves is a sixteenth of the bound at most`(_ loops: Int, _ limit: Int) {
        let step = BufferLedger(limit: limit, loops: loops).step
        #expect(step > 0 && step <= 1_048_576 && step * loops <= limit / 16)
    }

    @Test func `a loop enters what it holds in steps, and learns then that the bound is reached`() {
        let ledger = BufferLedger(limit: 1_048_576, loops: 2)
        var one = LoopBuffers(ledger)
        var two = LoopBuffers(ledger)
        one.hold(100)
        #expect(ledger.values.bytes == 0 && one.readLimit == 65_536)
        one.hold(1_048_576)
        #expect(one.isFull && !two.isFull && one.readLimit == 4096 && one.queueLimit == 4096)
        two.hold(1)
        #expect(!two.isFull)
        two.enter()
        #expect(two.isFull && ledger.values.bytes == 1_048_677)
        one.hold(-1_048_676)
        two.enter()
        #expect(!one.isFull && !two.isFull && ledger.values.bytes == 1)
    }

    @Test func `whatever loops do at once, the last word is right`() {
        let ledger = BufferLedger(limit: 10_000, loops: 4)
        let told = Atomic(0)
        ledger.whenChanged { told.add(1, ordering: .relaxed) }
        DispatchQueue.concurrentPerform(iterations: 4) { loop in
            for _ in 0..<20_000 {
                _ = ledger.add(4000)
                _ = ledger.add(-4000)
            }
            if loop == 0 { _ = ledger.add(10_000) }
        }
        #expect(ledger.isFull && ledger.values.bytes == 10_000)
        _ = ledger.add(-10_000)
        #expect(!ledger.isFull && told.load(ordering: .relaxed) >= 2)
    }
}
