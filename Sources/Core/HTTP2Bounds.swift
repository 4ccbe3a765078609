/// The bounds of one HTTP/2 connection, none of them left to the library's defaults. The bounds of heads are those of
/// `Bounds`, whatever the version.
///
/// What a connection can make the gateway hold: `connectionWindowBytes` of content received and not passed on,
/// `queuedBytes` of content to be sent, one head being received, two header tables, `outboundFrames` small frames.
package struct HTTP2Bounds: Sendable, Equatable {
    /// Streams open at one time. 128 is about what nginx and HAProxy allow, and more than a browser uses. More are
    /// refused.
    package var concurrentStreams: UInt32
    /// Content of one stream that may be on its way to an upstream. 256 KiB are enough for 20 Mbit/s at a round trip of
    /// 100 ms.
    package var streamWindowBytes: UInt32
    /// Content of all streams together. 1 MiB lets four streams run at full speed, whatever their number.
    package var connectionWindowBytes: UInt32
    /// The dynamic table of the peer's header compression (RFC 7541 §4.2), and of ours at most.
    package var headerTableBytes: UInt32
    /// The payload of one frame the peer may send: the least there is (RFC 9113 §4.2).
    package var frameBytes: UInt32 = 16_384
    /// Fields of one block as counted by SETTINGS_MAX_HEADER_LIST_SIZE, beyond which the peer is no client but an
    /// attacker (an HPACK bomb): the connection ends. Below it, but above `Bounds.headByteLimit`, the answer is 431.
    package var decodedHeaderBytes = 262_144
    /// CONTINUATION frames of one block; more end the connection.
    package var continuationFrames = 8
    /// Entries of one SETTINGS frame; more end the connection.
    package var settingsEntries = 32
    /// Acknowledgements of SETTINGS and PING waiting to be written; more end the connection.
    package var outboundAcks = 256
    /// Frames of any kind waiting to be written; more end the connection.
    package var outboundFrames = 4096
    /// Content held for all streams that the peer has not taken yet, with what the other side was allowed to send for
    /// them. Half of it is shared out evenly, `streamShareBytes` for each stream that may be open, so that streams that
    /// are not taken from do not stop the others. Of the other half a stream may take as much as it leaves for the rest.
    package var queuedBytes = 1_048_576
    /// Content queued on one stream above which its source is to be read no further.
    package var streamQueueBytes = 131_072
    /// The window of a stream when it begins; `HTTP2ClientSession.openWindow` makes it larger, up to `streamWindowBytes`.
    package var initialWindowBytes: UInt32
    /// What `GlitchScore` bears before the connection is cut, in points; see `Glitch.points`.
    package var glitchPoints: Int64 = 10_000
    /// Points forgiven each second.
    package var glitchPointsPerSecond: Int64 = 660
    /// What is open when a peer is told to calm down may go on for so long; then the connection is cut.
    package var calmedTimeout: Nanoseconds = .seconds(2)

    /// Those an operator can set as `configured`, the others as they stand above. Windows are at most 2³¹−1 bytes
    /// (RFC 9113 §6.9.1), and that of the connection at least that of a stream.
    package init(_ configured: Bounds.HTTP2 = Bounds.HTTP2()) {
        concurrentStreams = UInt32(clamping: configured.streamLimit)
        streamWindowBytes = UInt32(clamping: min(max(configured.streamWindowBytes, 0), 0x7FFF_FFFF))
        connectionWindowBytes = max(
            UInt32(clamping: min(max(configured.connectionWindowBytes, 65_535), 0x7FFF_FFFF)), streamWindowBytes)
        headerTableBytes = UInt32(clamping: configured.headerTableBytes)
        initialWindowBytes = streamWindowBytes
        queuedBytes = max(configured.queuedBytes, 0)
    }

    /// What a stream may always hold, whatever the others hold.
    package var streamShareBytes: Int { queuedBytes / 2 / max(Int(concurrentStreams), 1) }

    /// What streams may hold beyond their shares, all together.
    package var commonBytes: Int { queuedBytes &- streamShareBytes &* Int(concurrentStreams) }

    /// Those of connections to upstreams, which share one connection between clients that know nothing of each other: its
    /// window has room for all streams, so that those whose clients are slow do not hold up the others. What an answer may
    /// bring is held for its client, so a stream begins with the share of a client's stream, `configured`. An upstream that
    /// measures its path by PING is tolerated.
    package static func upstream(for configured: Bounds.HTTP2) -> HTTP2Bounds {
        var bounds = HTTP2Bounds()
        // A client's connection of HTTP/1 queues 128 KiB of it; the rest is on its way.
        bounds.streamWindowBytes = 393_216
        bounds.connectionWindowBytes = bounds.streamWindowBytes * bounds.concurrentStreams
        bounds.initialWindowBytes = min(UInt32(clamping: HTTP2Bounds(configured).streamShareBytes), bounds.streamWindowBytes)
        bounds.queuedBytes = 8_388_608
        bounds.glitchPoints = 100_000
        bounds.glitchPointsPerSecond = 6600
        return bounds
    }
}
