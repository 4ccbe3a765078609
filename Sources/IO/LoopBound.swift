package import Dispatch

/// A value that belongs to one queue and may travel anywhere, but be touched only there. Touching it elsewhere ends the
/// process: it is our mistake, never a peer's.
package struct LoopBound<Value>: @unchecked Sendable {
    private let stored: Value
    private let queue: DispatchQueue

    package init(_ value: Value, on queue: DispatchQueue) {
        stored = value
        self.queue = queue
    }

    package var value: Value {
        dispatchPrecondition(condition: .onQueue(queue))
        return stored
    }
}
