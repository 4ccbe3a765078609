import Core

/// What one loop holds for messages under way: counted here, entered in the process's ledger in steps.
struct LoopBuffers {
    private let ledger: BufferLedger
    private var held = 0
    private var entered = 0
    private var step: Int
    /// The process has met its bound: nothing new begins, and what is under way goes on in small pieces.
    private(set) var isFull = false
    // Stored, not computed: a computed property would count a reference to the ledger for each look.
    /// Bytes waiting to be written to one peer; above this its counterpart is not read.
    private(set) var queueLimit = FixedBounds.pendingOutputBytes
    /// What one read takes from a socket at most.
    private(set) var readLimit = FixedBounds.readBytes

    init(_ ledger: BufferLedger) {
        self.ledger = ledger
        step = ledger.step
    }

    /// Counts bytes that are held from now on, or, where `count` is negative, no more.
    @inline(__always)
    mutating func hold(_ count: Int) {
        held &+= count
        if (held &- entered).magnitude >= step.magnitude { enter() }
    }

    /// Enters what the ledger does not know yet, and follows it.
    mutating func enter() {
        let count = held &- entered
        entered = held
        step = ledger.step
        isFull = ledger.add(count)
        queueLimit = isFull ? FixedBounds.pieceBytes : FixedBounds.pendingOutputBytes
        readLimit = isFull ? FixedBounds.pieceBytes : FixedBounds.readBytes
    }
}
