import Core
import Crypto
import HTTP1
import IO
import Policy

/// A request that changes the protocol of its connection (RFC 9110 §7.8, RFC 6455, RFC 8441): from the decision on it is an
/// exchange like others, until the upstream agrees; then both connections are pipes.
extension Exchange {
    /// Notes the change that goes on with the request, if its route admits one. Without one the request is an ordinary
    /// one; only that of HTTP/2, which is CONNECT, cannot be.
    func offerUpgrade(_ grant: Grant) -> Denial? {
        offer = UpgradeOffer(&head, rule: grant.route.upgrade)
        offer?.reviewNumber = worker.tunnels.reviewNumber
        guard offer == nil, head.version == .http2 else { return nil }
        let fault = RequestFault.methodNotSupported
        return .malformedRequest(reason: fault.reason, status: fault.status, detail: fault.detail)
    }

    /// The upstream agreed, with the head in `worker.responseHead`, which `UpgradeOffer.isGranted` or the tunnel's own
    /// protocol found right: from now on its bytes and the client's are each other's.
    func openTunnel() {
        guard let client, let offer, let grant, let rule = grant.route.upgrade else { return }
        let isSwitch = head.version != .http2
        beginAnswer(status: isSwitch ? 101 : 200)
        requestID.withSpan {
            snapshot.completeResponse(
                &worker.responseHead, grant: grant, requestID: $0, now: worker.loop.now, into: &worker.lines)
        }
        translate(offer, isSwitch: isSwitch)
        requestIsComplete = false
        closesAfterAnswer = true
        stopTimer()
        client.beginTunnel()
        let tunnel = Tunnel(self, worker: worker, grant: grant, rule: rule, isWebSocket: offer.isWebSocket)
        self.tunnel = tunnel
        worker.tunnels.add(tunnel)
        worker.metrics.tunnelOpened(route: grant.route.index, named: grant.route.name)
        if worker.isDraining {
            tunnel.drain()
        } else if offer.reviewNumber != worker.tunnels.reviewNumber {
            tunnel.review()
        }
    }

    /// Says the upstream's agreement in the client's version of HTTP.
    private func translate(_ offer: UpgradeOffer, isSwitch: Bool) {
        let isFromSwitch = worker.responseHead.status == 101
        worker.responseHead.status = status
        if isSwitch {
            worker.lines.append(name: "Connection", value: "Upgrade")
            worker.lines.append(name: "Upgrade", value: offer.name.span)
            guard !isFromSwitch else { return }
            worker.responseHead.reason = .empty
            if offer.isWebSocket { worker.lines.append(name: "Sec-WebSocket-Accept", value: offer.acceptValue.span) }
        } else {
            let bytes = worker.responseHead.bytes
            for index in worker.responseHead.fields.indices {
                let name = worker.responseHead.fields[index].name.range
                if bytes.span.extracting(name).equalsIgnoringCase("sec-websocket-accept") {
                    worker.responseHead.fields[index].isDropped = true
                }
            }
        }
    }

    // MARK: Bytes

    /// The client's bytes.
    func passUp(_ bytes: Span<UInt8>, through tunnel: Tunnel) {
        let count = tunnel.passUp(bytes)
        if count > 0, let upstream {
            upstream.sendContent(bytes.extracting(0..<count), framing: .none)
            if upstream.isCongested { client.pauseContent() }
        }
        if count < bytes.count { tunnel.settle() }
    }

    /// The upstream's bytes.
    func passDown(_ bytes: Span<UInt8>, through tunnel: Tunnel) {
        let count = tunnel.passDown(bytes)
        if count > 0 {
            bytesOut &+= UInt64(count)
            client.sendContent(bytes.extracting(0..<count), framing: .untilClose)
            if client.isCongested {
                upstream?.pause()
                client.noticeWhenTaken()
            }
        }
        if count < bytes.count { tunnel.settle() }
    }

    /// The client sends no more; the upstream may.
    func clientEndedTunnel(_ tunnel: Tunnel) {
        guard !requestIsComplete else { return }
        requestIsComplete = true
        tunnel.clientEnded()
        guard self.tunnel === tunnel else { return }
        if upstreamHasEnded { return closeTunnel() }
        var none = TrailerSection()
        upstream?.endRequest(framing: .none, trailers: &none)
    }

    /// The upstream sends no more; the client may.
    func upstreamEndedTunnel() {
        guard let tunnel, !upstreamHasEnded else { return }
        upstreamHasEnded = true
        tunnel.upstreamEnded()
        guard self.tunnel === tunnel else { return }
        if requestIsComplete { return closeTunnel() }
        var none = TrailerSection()
        client.endContent(framing: .untilClose, trailers: &none)
    }

    func sendClose(_ close: WebSocketClose, toClient: Bool) {
        var frame: [UInt8] = []
        if toClient {
            close.append(to: &frame, mask: nil)
            bytesOut &+= UInt64(frame.count)
            client.sendContent(frame.span, framing: .untilClose)
        } else {
            close.append(to: &frame, mask: UInt32(truncatingIfNeeded: SecureRandom.word()))
            upstream?.sendContent(frame.span, framing: .none)
        }
    }

    // MARK: The end

    /// The gateway ends the tunnel. `isClean`: what the client got so far ends where its protocol lets it end.
    func endTunnel(because ending: TunnelEnding, isClean: Bool) {
        switch ending {
        case .idle: fault = .tunnelIdle
        case .outlived: fault = .tunnelOutlived
        case .draining: fault = .tunnelDrained
        case .denied(let denial): refusal = Refusal(denial: denial, after: grant)
        }
        if isClean {
            closeTunnel()
        } else {
            dropUpstream()
            abort(.afterQueued(showsLength: false))
        }
    }

    /// Both sides have said what they had to say: what waits to be written still is.
    private func closeTunnel() {
        leaveUpstream()
        end()
    }

    /// The exchange is over, and its tunnel with it.
    func forgetTunnel() {
        guard let tunnel else { return }
        self.tunnel = nil
        tunnel.stop()
        worker.tunnels.remove(tunnel)
        worker.metrics.totals.tunnelsOpen -= 1
    }
}
