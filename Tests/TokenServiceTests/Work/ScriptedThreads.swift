import Synchronization

/// Threads of a pool that run when a test says so, one closure after the other.
final class ScriptedThreads: Sendable {
    private let begun = Mutex<[@Sendable () -> Void]>([])

    /// Closures that a thread was given and that have not run.
    var count: Int { begun.withLock { $0.count } }

    func execute(_ work: @escaping @Sendable () -> Void) { begun.withLock { $0.append(work) } }

    /// Runs the first; false where there is none.
    @discardableResult
    func runOne() -> Bool {
        guard let work = begun.withLock({ $0.isEmpty ? nil : $0.removeFirst() }) else { return false }
        work()
        return true
    }

    func runAll() { while runOne() {} }
}
