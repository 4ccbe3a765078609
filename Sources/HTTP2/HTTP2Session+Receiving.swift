import CNghttp2
import Core

/// What the library calls while it takes bytes. Methods that return a truth value say whether to go on.
extension HTTP2Session {
    /// Puts a glitch on the peer's account. False when that was one too many.
    func charge(_ glitch: Glitch) -> Bool { charge(glitch.points) }

    func charge(_ points: Int64) -> Bool {
        guard points > 0 else { return failure == nil }
        switch score.add(points, at: now) {
        case .tolerable: break
        case .excessive:
            isCalmed = true
            finishStreams(.enhanceYourCalm)
        case .unbearable: fail(.abused)
        }
        return failure == nil
    }

    /// A field block begins whose fields the library reports.
    func beganHeaders(of id: Int32, category: nghttp2_headers_category) -> Bool {
        guard charge(meter.hear()) else { return false }
        beginHeaders(of: id, category: category)
        return true
    }

    func receivedField(_ name: Span<UInt8>, _ value: Span<UInt8>) -> Bool {
        guard countField(name, value) else { return false }
        takeField(name, value)
        return true
    }

    /// A field that the library does not pass on, since its name or value has bytes that none may have. It costs what any costs.
    func receivedInvalidField(_ name: Span<UInt8>, _ value: Span<UInt8>) -> Bool {
        guard countField(name, value) else { return false }
        noteInvalidField(name)
        return true
    }

    private func countField(_ name: Span<UInt8>, _ value: Span<UInt8>) -> Bool {
        let points = meter.decode(nameBytes: name.count, valueBytes: value.count)
        if meter.decodedBytes > limits.decodedHeaderBytes { fail(.headerBlockTooLarge) }
        return charge(points)
    }

    /// A whole frame came and was found right.
    func receivedFrame(_ frame: UnsafePointer<nghttp2_frame>) -> Bool {
        let header = unsafe frame.pointee.hd
        switch header.kind {
        case .content:
            guard let stream = stream(header.stream_id) else { break }
            if header.endsStream {
                trailers.begin()
                remoteEnded(stream)
            } else if unsafe header.length <= frame.pointee.data.padlen {
                return charge(.emptyContent)
            }
        case .headers:
            guard let stream = stream(header.stream_id) else { break }
            stream.lastReceived = now
            endHeaders(of: stream, ends: header.endsStream)
        case .settings: if header.isAck { settingsTaken() } else { receivedSettings() }
        case .goAway:
            isPeerLeaving = true
            receivedGoAway()
        case .ping:
            if header.isAck, outstandingPings > 0 {
                outstandingPings = 0
                receivedPong()
            }
        case .priority, .reset, .pushPromise, .windowUpdate, .continuation, nil: break
        }
        return failure == nil
    }

    /// A frame that is wrong, or that opens a stream too many: the library resets the stream or ends the connection.
    func receivedInvalidFrame(_ header: nghttp2_frame_hd, _ error: Int32) -> Bool {
        noteReset(of: header.stream_id)
        if header.kind == .headers {
            meter.ignoreRest()
            guard charge(meter.refuse()) else { return false }
        }
        if let stream = stream(header.stream_id) {
            stream.isResetAccounted = true
            if !stream.isAnnounced { rejectHeaders(of: stream) }
        }
        return charge(error == NGHTTP2_ERR_REFUSED_STREAM.rawValue ? Glitch.refusedStream.points : provokedResetPoints)
    }

    func receivedContent(_ content: Span<UInt8>, on id: Int32) {
        guard let stream = stream(id) else {
            check(unsafe nghttp2_session_consume(raw, id, content.count))
            return
        }
        stream.lastReceived = now
        stream.unconsumed &+= content.count
        if stream.dropsContent || !stream.isAnnounced {
            consumed(content.count, on: stream)
        } else {
            delegate.session(self, received: content, on: stream)
        }
    }

    /// The peer's side of a stream ended behind content, with what is in `trailers`.
    func remoteEnded(_ stream: HTTP2Stream) {
        stream.isRemoteEnded = true
        stream.lastReceived = now
        guard stream.isAnnounced, !stream.dropsContent else { return }
        delegate.session(self, receivedEndOf: stream, trailers: &trailers.section)
    }

    /// A trailer section is whole, and ends the stream: the library sees to that.
    func endTrailers(of stream: HTTP2Stream) {
        guard !trailers.isMalformed else {
            reset(stream, .protocolError)
            _ = charge(provokedResetPoints &+ meter.refuse())
            return
        }
        trailers.finish()
        remoteEnded(stream)
    }
}
