/// Something a peer may do, but not often: each kind has its price in points. What the decoding of field blocks costs is added
/// by `FieldBlockMeter`.
///
/// The prices follow from `HTTP2Bounds.glitchPoints` (10,000) and what is forgiven each second (660): a client may
/// cancel 500 streams at once and 33 a second for ever, which is half of what the library would bear.
package enum Glitch: CaseIterable, Sendable {
    /// RST_STREAM from a client (CVE-2023-44487).
    case cancelledStream
    /// A frame that makes us reset a stream (CVE-2025-8671).
    case provokedReset
    /// A stream above the number allowed.
    case refusedStream
    /// A request that is answered as malformed, which costs an exchange.
    case malformedRequest
    /// DATA without content that does not end the stream (CVE-2019-9518).
    case emptyContent
    /// PING, and answers to none of ours (CVE-2019-9512).
    case ping
    /// SETTINGS but the first (CVE-2019-9515).
    case settings
    /// PRIORITY (CVE-2019-9513).
    case priority
    /// WINDOW_UPDATE beyond what the frames we sent excuse.
    case windowUpdate
    case continuation
    /// A frame of a kind that is not ours, which is to be ignored (RFC 9113 §5.5).
    case unknownFrame

    package var points: Int64 {
        switch self {
        case .cancelledStream: 20
        case .provokedReset: 50
        case .refusedStream: 20
        case .malformedRequest: 10
        case .emptyContent: 10
        case .ping: 10
        case .settings: 50
        case .priority: 2
        case .windowUpdate: 5
        case .continuation: 5
        case .unknownFrame: 2
        }
    }
}
