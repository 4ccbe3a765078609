/// The bounds of one HTTP/2 connection, none of them left to the library's defaults. The bounds of heads are those of
/// `Bounds`, whatever the version.
///
/// What a connection can make the gateway hold: `connectionWindowBytes` of content received and not passed on,
/// `connectionQueueBytes` and, for each stream, `streamQueueFloorBytes` and one read of content to be sent, one head
/// being received, two header tables, `outboundFrames` small frames.
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
    /// Content queued on one stream above which its source is to be read no further.
    package var streamQueueBytes = 131_072
    /// Content queued on all streams above which each may queue `streamQueueFloorBytes` only, so that streams that are
    /// not taken from do not stop the others.
    package var connectionQueueBytes = 2_097_152
    package var streamQueueFloorBytes = 16_384
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
    }
    /// Those of connections to upstreams, which share one connection between clients that know nothing of each other: its
    /// window has room for all streams, so that those whose clients are slow hold nobody else up. An upstream that
    /// measures its path by PING is borne with.
    package static let upstream: HTTP2Bounds = {
        var bounds = HTTP2Bounds()
        bounds.connectionWindowBytes = bounds.streamWindowBytes * bounds.concurrentStreams
        bounds.glitchPoints = 100_000
        bounds.glitchPointsPerSecond = 6600
        return bounds
    }()
}
