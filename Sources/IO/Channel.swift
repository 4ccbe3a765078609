
/// What an event loop watches: a socket with something behind it. All calls come on the loop's queue.
package protocol Channel: AnyObject {
    /// The socket became readable, writable, or broke. Edge-triggered: said once until it has been drained.
    func ready(_ readiness: Readiness)
    /// The round of events is over: write what has been queued. Called once after `EventLoop.wantsFlush`.
    func flush()
    /// The instant given to `EventLoop.schedule` has come.
    func deadlineReached()
}

/// What epoll says of a socket. Questions, not an option set: each is one mask on the hot path.
@frozen
@usableFromInline
package struct Readiness: Sendable {
    @usableFromInline let events: UInt32

    @inlinable init(events: UInt32) { self.events = events }

    /// Bytes, an end of stream, or a connection to accept (EPOLLIN), or an end that reading will tell (EPOLLRDHUP).
    @inlinable package var isReadable: Bool { events & 0x2001 != 0 }
    /// EPOLLOUT.
    @inlinable package var isWritable: Bool { events & 0x004 != 0 }
    /// The connection failed, or both directions are shut (EPOLLERR, EPOLLHUP).
    @inlinable package var isBroken: Bool { events & 0x018 != 0 }
    /// The peer will send nothing more (EPOLLRDHUP).
    @inlinable package var isPeerClosed: Bool { events & 0x2000 != 0 }
}

/// A registration with an event loop: the slot it stands in, and which of the slot's tenants it is, so that an event
/// that was already fetched for a closed socket finds nobody.
package struct Registration: Equatable, Sendable {
    package let slot: UInt32
    package let generation: UInt32

    package static let none = Registration(slot: .max, generation: 0)

    @inlinable
    init(slot: UInt32, generation: UInt32) {
        self.slot = slot
        self.generation = generation
    }

    @inlinable init(token: UInt64) {
        slot = UInt32(truncatingIfNeeded: token)
        generation = UInt32(truncatingIfNeeded: token >> 32)
    }

    @inlinable var token: UInt64 { UInt64(generation) << 32 | UInt64(slot) }
}
