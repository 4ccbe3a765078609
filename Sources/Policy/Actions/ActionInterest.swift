import Synchronization

/// Whether somebody still wants to know what comes of a request to an action. Shared by the loop that has the client and the
/// thread that works.
package final class ActionInterest: Sendable {
    private let gone = Atomic(false)

    package init() {}

    /// The client has left: what takes long need not be begun any more.
    package var isGone: Bool { gone.load(ordering: .relaxed) }

    package func leave() { gone.store(true, ordering: .relaxed) }
}
