import CLinux
package import Core
package import Dispatch

/// One serial dispatch queue with an epoll set under a single dispatch source: everything of a connection happens here.
///
/// When the source fires, the handler keeps draining the set as long as events keep coming, waiting a millisecond at most
/// in between and 64 rounds in all; that halves the cost of a request against one source event per wake-up. Whoever
/// submits work from elsewhere also signals an eventfd in the set, so that a hot drain ends and queued work never waits
/// behind it. `@safe`: its two pieces of raw memory live exactly as long as it does.
@safe package final class EventLoop: @unchecked Sendable {
    private struct Slot {
        var channel: (any Channel)?
        var generation: UInt32
    }

    private static let eventsPerRound = 128
    private static let roundsPerDrain = 64

    package let queue: DispatchQueue
    /// The clocks as read at the start of this round of events.
    package private(set) var now: ClockReading
    /// Where sockets are read into; valid until the next read.
    package let scratch: UnsafeMutableRawBufferPointer

    private let epoll: Int32
    private let wake: Int32
    private let source: any DispatchSourceRead
    private let timer: any DispatchSourceTimer
    private let events: UnsafeMutablePointer<epoll_event>
    private var slots: [Slot] = []
    private var freeSlots: [UInt32] = []
    private var flushes: [any Channel] = []
    private var flushing: [any Channel] = []
    private var wheel: TimingWheel
    private var due: [Registration] = []
    private var armed = Instant.distantFuture
    private var wasSignalled = false

    /// The slot number that stands for the eventfd.
    private static let wakeToken = UInt64.max

    package init(label: String) throws(SystemError) {
        queue = DispatchQueue(label: label, qos: .userInitiated)
        epoll = Int32(try SystemError.check(linux_epoll_create(), "epoll_create1"))
        wake = Int32(try SystemError.check(linux_eventfd(), "eventfd"))
        _ = try SystemError.check(linux_epoll_add(epoll, wake, EPOLLIN.rawValue, Self.wakeToken), "epoll_ctl")
        unsafe events = .allocate(capacity: Self.eventsPerRound)
        unsafe scratch = .allocate(byteCount: FixedBounds.readBytes, alignment: 64)
        now = Self.readClocks()
        wheel = TimingWheel(now: now.instant)
        source = DispatchSource.makeReadSource(fileDescriptor: epoll, queue: queue)
        timer = DispatchSource.makeTimerSource(queue: queue)
    }

    deinit {
        unsafe events.deallocate()
        unsafe scratch.deallocate()
    }

    /// Begins to deliver events.
    package func start() {
        source.setEventHandler { @Sendable [unowned self] in self.drain() }
        let descriptors = (epoll, wake)
        source.setCancelHandler { @Sendable in
            close(descriptors.1)
            close(descriptors.0)
        }
        timer.setEventHandler { @Sendable [unowned self] in self.timerFired() }
        timer.schedule(deadline: .distantFuture)
        source.activate()
        timer.activate()
    }

    /// Ends delivery; what is registered must have been unregistered before.
    package func stop() {
        source.cancel()
        timer.cancel()
    }

    /// Runs `work` on the loop's queue soon, also while the loop is hot. From any thread.
    package func submit(_ work: @escaping @Sendable () -> Void) {
        queue.async(execute: work)
        linux_eventfd_signal(wake)
    }

    /// Runs `work` with fresh clocks and writes what it queued: for `submit`ted work that touches channels.
    package func round(_ work: () -> Void) {
        now = Self.readClocks()
        work()
        flushAll()
    }

    // MARK: Registration

    /// Watches a socket for both directions, edge-triggered, until `unregister`.
    package func register(_ channel: any Channel, descriptor: Int32) throws(SystemError) -> Registration {
        let registration = claimSlot(channel)
        let interest = EPOLLIN.rawValue | EPOLLOUT.rawValue | EPOLLRDHUP.rawValue | EPOLLET.rawValue
        let result = linux_epoll_add(epoll, descriptor, interest, registration.token)
        if result < 0 { vacate(registration) }
        _ = try SystemError.check(result, "epoll_ctl")
        return registration
    }

    /// Gives what is registered to another channel: events and deadlines reach that one from now on.
    package func replace(_ registration: Registration, with channel: any Channel) {
        guard self.channel(of: registration) != nil else { return }
        slots[Int(registration.slot)].channel = channel
    }

    /// Gives a channel without a socket a registration for its deadlines, until `unregister`.
    package func registerTimer(_ channel: any Channel) -> Registration { claimSlot(channel) }

    /// Watches a listening socket: readable only, level-triggered, so that what one round leaves is said again.
    package func registerListener(_ channel: any Channel, descriptor: Int32) throws(SystemError) -> Registration {
        let registration = claimSlot(channel)
        let result = linux_epoll_add(epoll, descriptor, EPOLLIN.rawValue, registration.token)
        if result < 0 { vacate(registration) }
        _ = try SystemError.check(result, "epoll_ctl")
        return registration
    }

    /// Stops or takes up again the watching of a listening socket, whose registration stays.
    package func watchListener(_ registration: Registration, descriptor: Int32, isOn: Bool) {
        _ = linux_epoll_modify(epoll, descriptor, isOn ? EPOLLIN.rawValue : 0, registration.token)
    }

    /// Forgets a channel. The caller closes the descriptor, which takes it out of the epoll set.
    package func unregister(_ registration: Registration) {
        guard channel(of: registration) != nil else { return }
        vacate(registration)
    }

    private func claimSlot(_ channel: any Channel) -> Registration {
        if let free = freeSlots.popLast() {
            slots[Int(free)].channel = channel
            return Registration(slot: free, generation: slots[Int(free)].generation)
        }
        slots.append(Slot(channel: channel, generation: 0))
        return Registration(slot: UInt32(truncatingIfNeeded: slots.count &- 1), generation: 0)
    }

    private func vacate(_ registration: Registration) {
        slots[Int(registration.slot)].channel = nil
        slots[Int(registration.slot)].generation &+= 1
        freeSlots.append(registration.slot)
    }

    @inline(__always)
    private func channel(of registration: Registration) -> (any Channel)? {
        let index = Int(registration.slot)
        guard index < slots.count, slots[index].generation == registration.generation else { return nil }
        return slots[index].channel
    }

    // MARK: Rounds

    /// Asks for `flush()` at the end of this round. The channel guards against asking twice.
    @inline(__always)
    package func wantsFlush(_ channel: any Channel) { flushes.append(channel) }

    private func drain() {
        var round = 0
        var timeout: Int32 = 0
        wasSignalled = false
        while round < Self.roundsPerDrain, !wasSignalled {
            let count = unsafe linux_epoll_wait(epoll, events, Int32(Self.eventsPerRound), timeout)
            guard count > 0 else { break }
            now = Self.readClocks()
            for index in 0..<count { unsafe deliver(events[index].events, events[index].data.u64) }
            flushAll()
            if now.instant >= armed {
                fireDue()
                // What deadlines queued must not wait for the next event: there may be none.
                flushAll()
            }
            round &+= 1
            timeout = 1
        }
    }

    @inline(__always)
    private func deliver(_ readiness: UInt32, _ token: UInt64) {
        guard token != Self.wakeToken else {
            linux_eventfd_clear(wake)
            wasSignalled = true
            return
        }
        // The generation tells a new tenant of the slot from the one the event was meant for.
        guard let channel = channel(of: Registration(token: token)) else { return }
        channel.ready(Readiness(events: readiness))
    }

    /// Flushing may queue more (a finished exchange begins the next pipelined one), so it goes on until nothing is left.
    private func flushAll() {
        while !flushes.isEmpty {
            swap(&flushes, &flushing)
            for channel in flushing { channel.flush() }
            flushing.removeAll(keepingCapacity: true)
        }
    }

    // MARK: Deadlines

    /// Asks for `deadlineReached()` at `instant` or up to 16 ms later. Returns when the channel will be asked.
    package func schedule(_ registration: Registration, at instant: Instant) -> Instant {
        let firing = wheel.insert(registration, at: instant)
        if firing < armed { arm(firing) }
        return firing
    }

    private func arm(_ instant: Instant) {
        armed = instant
        let wait = max(0, instant.nanoseconds &- now.instant.nanoseconds)
        timer.schedule(deadline: .now() + .nanoseconds(Int(wait)), leeway: .milliseconds(4))
    }

    private func timerFired() {
        now = Self.readClocks()
        fireDue()
        flushAll()
    }

    private func fireDue() {
        wheel.advance(to: now.instant, into: &due)
        for registration in due { channel(of: registration)?.deadlineReached() }
        due.removeAll(keepingCapacity: true)
        armed = .distantFuture
        if let next = wheel.nextFiring { arm(next) }
    }

    package static func readClocks() -> ClockReading {
        ClockReading(
            instant: Instant(nanoseconds: linux_monotonic_ns()), wall: WallTime(nanoseconds: linux_realtime_ns()))
    }
}

private import Glibc
