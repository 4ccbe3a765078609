package import Core
import Crypto
import Dispatch
import Synchronization

/// Tells of every change: a line in the audit log, and a signed POST to the webhook, tried again until it is taken or given up.
/// Nobody who asks for a change waits for either.
package final class AuditTrail: Sendable {
    /// Events waiting for the webhook; newer ones are dropped and counted.
    package static let backlogLimit = 1000
    /// Before the second try; doubled for each one after it.
    private static let firstPause: Nanoseconds = .seconds(1)
    private static let longestPause: Nanoseconds = .seconds(60)

    private struct State {
        var transport: (any AuditTransport)?
        var webhook: WebhookSignature?
        var attempts = 1
        var waiting: [(id: String, content: [UInt8])] = []
        var isDelivering = false
        var dropped = 0
    }

    private let state = Mutex(State())
    private let queue = DispatchQueue(label: "portcullis.webhook", qos: .utility)
    /// Entered while something waits for the webhook.
    private let delivering = DispatchGroup()
    private let clock: @Sendable () -> WallTime
    private let pause: Nanoseconds

    /// - Parameters:
    ///   - clock: what the signature's time is read from.
    ///   - pause: before the second try.
    package init(clock: @escaping @Sendable () -> WallTime, pause: Nanoseconds? = nil) {
        self.clock = clock
        self.pause = pause ?? Self.firstPause
    }

    /// Follows a policy. Without a transport nothing is told; without a webhook the log alone.
    package func adopt(transport: (any AuditTransport)?, webhook: WebhookSignature?, attempts: Int) {
        state.withLock {
            $0.transport = transport
            $0.webhook = webhook
            $0.attempts = max(attempts, 1)
        }
    }

    /// Events that were not delivered since too many waited, or were given up.
    package var dropped: Int { state.withLock { $0.dropped } }

    /// Tells of events, in this order. From any thread.
    package func record(_ events: [AuditEvent]) {
        if events.isEmpty { return }
        let contents = events.map { (id: $0.id, content: $0.json) }
        let (transport, mustBegin, dropped) = state.withLock { state in
            guard state.transport != nil, state.webhook != nil else { return (state.transport, false, 0) }
            let room = max(Self.backlogLimit - state.waiting.count, 0)
            state.waiting += contents.prefix(room)
            let dropped = max(contents.count - room, 0)
            state.dropped += dropped
            let mustBegin = !state.isDelivering && !state.waiting.isEmpty
            if mustBegin {
                state.isDelivering = true
                delivering.enter()
            }
            return (state.transport, mustBegin, dropped)
        }
        for event in contents { transport?.write(event.content + [0x0A]) }
        if dropped > 0 { transport?.complain("\(dropped) audit events are not sent to the webhook: too many wait") }
        if mustBegin { queue.async { self.deliverNext(attempt: 1) } }
    }

    /// Delivers the first of those that wait. On the trail's own queue.
    private func deliverNext(attempt: Int) {
        let (next, transport, webhook, attempts) = state.withLock { state in
            if state.waiting.isEmpty || state.webhook == nil {
                state.waiting = []
                state.isDelivering = false
                delivering.leave()
            }
            return (state.waiting.first, state.transport, state.webhook, state.attempts)
        }
        guard let next, let transport, let webhook else { return }
        let fields = webhook.fields(id: next.id, content: next.content, at: clock())
        guard let fault = transport.deliver(next.content, fields: fields) else {
            finish()
            return
        }
        if attempt >= attempts {
            transport.complain("the audit event \(next.id) is given up: \(fault)")
            state.withLock { $0.dropped += 1 }
            finish()
            return
        }
        let pause = min(pause << Int64(min(attempt - 1, 16)), Self.longestPause)
        queue.asyncAfter(deadline: .now() + .nanoseconds(Int(pause))) { self.deliverNext(attempt: attempt + 1) }
    }

    private func finish() {
        state.withLock { if !$0.waiting.isEmpty { $0.waiting.removeFirst() } }
        queue.async { self.deliverNext(attempt: 1) }
    }

    /// Blocks until nothing waits for the webhook: a command ends with its process.
    package func flush() { delivering.wait() }
}
