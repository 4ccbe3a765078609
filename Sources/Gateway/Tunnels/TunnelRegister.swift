import IO

/// The open tunnels of one loop.
final class TunnelRegister {
    private var open: [ObjectIdentifier: Tunnel] = [:]
    private var toReview: [ObjectIdentifier] = []
    /// How often all were asked about: who became a tunnel meanwhile has to ask for itself.
    private(set) var reviewNumber: UInt64 = 0

    /// Tunnels asked about in one round of the loop: a signature may have to be verified for each.
    private static let reviewsPerRound = 64

    func add(_ tunnel: Tunnel) { open[ObjectIdentifier(tunnel)] = tunnel }

    func remove(_ tunnel: Tunnel) { open[ObjectIdentifier(tunnel)] = nil }

    /// Asks the policy about every tunnel, a few in each round, so that requests do not wait behind them.
    func reviewAll(of worker: Worker) {
        reviewNumber &+= 1
        let isUnderWay = !toReview.isEmpty
        toReview = Array(open.keys)
        if !isUnderWay { reviewNext(of: worker) }
    }

    private func reviewNext(of worker: Worker) {
        for _ in 0..<Self.reviewsPerRound {
            guard let next = toReview.popLast() else { return }
            open[next]?.review()
        }
        guard !toReview.isEmpty else { return }
        worker.loop.submit { worker.loop.round { worker.tunnels.reviewNext(of: worker) } }
    }

    /// The gateway drains: every tunnel is asked to end.
    func drain() {
        for tunnel in Array(open.values) { tunnel.drain() }
    }
}
