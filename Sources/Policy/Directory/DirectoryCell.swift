package import Synchronization

/// The process-wide place of the directory. A change that was published is seen by every request that begins afterwards,
/// on every loop.
package final class DirectoryCell: Sendable {
    @usableFromInline let generationCounter = Atomic<UInt64>(0)
    private let held = Mutex(Directory.none)
    private let observer = Mutex<(@Sendable () -> Void)?>(nil)

    package init() {}

    /// Grows with each directory.
    @inlinable package var generation: UInt64 { generationCounter.load(ordering: .acquiring) }

    /// Puts a directory in force. Who publishes sees to it that newer ones come later.
    package func publish(_ directory: Directory) {
        held.withLock {
            $0 = directory
            generationCounter.wrappingAdd(1, ordering: .releasing)
        }
        observer.withLock { $0 }?()
    }

    /// Calls back after each publishing, on the queue that published: connections that outlive their requests are asked
    /// again. Set once.
    package func whenPublished(_ observer: @escaping @Sendable () -> Void) { self.observer.withLock { $0 = observer } }

    /// The directory in force with its generation.
    package var current: (directory: Directory, generation: UInt64) {
        held.withLock { ($0, generationCounter.load(ordering: .relaxed)) }
    }
}
