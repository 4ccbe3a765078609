import Core
import IO
import Policy

/// A connection that changed its protocol: both directions as far as they are watched, how long it may live, and whether
/// it still may. Its exchange moves the bytes.
///
/// A channel without a socket: the loop knows it for its deadline.
final class Tunnel: Channel {
    private unowned let exchange: Exchange
    private let worker: Worker
    private let grant: Grant
    private let rule: UpgradeRule
    private let isWebSocket: Bool
    private var toClient: TunnelDirection
    private var toUpstream: TunnelDirection
    private var ending: TunnelEnding?

    private let openedAt: Instant
    private var movedAt: Instant
    /// When the policy is asked again.
    private var reviewAt: Instant
    /// When the end comes whatever stands in its way.
    private var endAt = Instant.distantFuture
    /// Since when nobody could say whether the tunnel still may be.
    private var doubtfulSince: Instant?
    private var registration = Registration.none
    private var firing = Instant.distantFuture
    private var isOver = false

    init(_ exchange: Exchange, worker: Worker, grant: Grant, rule: UpgradeRule, isWebSocket: Bool) {
        self.exchange = exchange
        self.worker = worker
        self.grant = grant
        self.rule = rule
        self.isWebSocket = isWebSocket
        toClient = TunnelDirection(isWebSocket: isWebSocket)
        toUpstream = TunnelDirection(isWebSocket: isWebSocket)
        openedAt = worker.loop.now.instant
        movedAt = openedAt
        reviewAt = openedAt
        registration = worker.loop.registerTimer(self)
        planReview()
        watch()
    }

    // MARK: Bytes

    /// How many of the client's bytes pass on to the upstream.
    func passUp(_ bytes: Span<UInt8>) -> Int {
        movedAt = worker.loop.now.instant
        return toUpstream.pass(bytes)
    }

    /// How many of the upstream's bytes pass on to the client.
    func passDown(_ bytes: Span<UInt8>) -> Int {
        movedAt = worker.loop.now.instant
        return toClient.pass(bytes)
    }

    /// One of the sides took bytes.
    func moved() { movedAt = worker.loop.now.instant }

    func clientEnded() {
        moved()
        toUpstream.end()
        settle()
    }

    func upstreamEnded() {
        moved()
        toClient.end()
        settle()
    }

    // MARK: Whether it may go on

    /// Asks the policy in force now.
    func review() {
        guard ending == nil, !isOver, rule.closesWithCredential else { return }
        let now = worker.loop.now
        planReview()
        guard let denial = worker.snapshot.stillAdmits(grant, now: now, memory: worker.memory) else {
            doubtfulSince = nil
            return watch()
        }
        if denial == .token(.keySetUnavailable) || denial == .storeUnavailable {
            // What cannot be looked up is no reason to cut everybody off at once, but none to let it be for ever.
            let since = doubtfulSince ?? now.instant
            doubtfulSince = since
            if now.instant < since.advanced(by: FixedBounds.tunnelDoubt) {
                reviewAt = now.instant.advanced(by: FixedBounds.tunnelDoubtInterval)
                return watch()
            }
        }
        end(because: .denied(denial))
    }

    /// The credential's own end, or some seconds from now.
    private func planReview() {
        guard rule.closesWithCredential else { return reviewAt = .distantFuture }
        let now = worker.loop.now
        var wait = FixedBounds.tunnelReviewInterval
        if let end = grant.validUntil {
            let (left, overflow) = end.nanoseconds.subtractingReportingOverflow(now.wall.nanoseconds)
            if !overflow { wait = min(wait, max(left, 0)) }
        }
        reviewAt = now.instant.advanced(by: wait)
    }

    // MARK: The end

    /// Ends the tunnel: with a close frame each way where WebSocket is spoken, as soon as no frame is cut by it.
    func end(because ending: TunnelEnding) {
        guard self.ending == nil, !isOver else { return }
        self.ending = ending
        let grace = ending.isGraceful ? FixedBounds.tunnelGoodbyeTimeout : FixedBounds.tunnelBoundaryTimeout
        endAt = worker.loop.now.instant.advanced(by: grace)
        toClient.close()
        if !ending.isGraceful { toUpstream.close() }
        settle()
    }

    /// The gateway drains. What is no WebSocket cannot be told; it goes on until it ends or is cut.
    func drain() {
        if isWebSocket { end(because: .draining) }
    }

    /// Does what can be done about the end by now.
    func settle() {
        guard let ending, !isOver else { return watch() }
        if toClient.takesCloseFrame() { exchange.sendClose(ending.close, toClient: true) }
        if toUpstream.takesCloseFrame() { exchange.sendClose(ending.close, toClient: false) }
        let hasSaidGoodbye = toUpstream.isClosed || ending.isGraceful && toUpstream.hasSeenClose
        if toClient.isClosed, hasSaidGoodbye {
            exchange.endTunnel(because: ending, isClean: isWebSocket)
        } else {
            watch()
        }
    }

    /// The exchange is over.
    func stop() {
        isOver = true
        worker.loop.unregister(registration)
    }

    // MARK: Channel

    func ready(_ readiness: Readiness) {}

    func flush() {}

    func deadlineReached() {
        let now = worker.loop.now.instant
        guard now >= firing, !isOver else { return }
        firing = .distantFuture
        if let ending {
            guard now >= endAt else { return watch() }
            // A client that was told and says nothing: the upstream is told as well.
            toUpstream.close()
            if toUpstream.takesCloseFrame() { exchange.sendClose(ending.close, toClient: false) }
            exchange.endTunnel(because: ending, isClean: isWebSocket && toClient.isClosed)
        } else if now >= openedAt.advanced(by: rule.lifetime) {
            end(because: .outlived)
        } else if now >= idleEnd {
            end(because: .idle)
        } else if now >= reviewAt {
            review()
        } else {
            watch()
        }
    }

    /// A WebSocket of which one side has ended has nothing more to say but goodbye.
    private var idleEnd: Instant {
        let isHalf = isWebSocket && (toClient.isClosed || toUpstream.isClosed)
        return movedAt.advanced(by: isHalf ? min(rule.idleTimeout, FixedBounds.tunnelGoodbyeTimeout) : rule.idleTimeout)
    }

    private func watch() {
        guard !isOver else { return }
        let next = ending != nil ? endAt : min(idleEnd, openedAt.advanced(by: rule.lifetime), reviewAt)
        if next < firing { firing = worker.loop.schedule(registration, at: next) }
    }
}
