package import Core

/// Writes where a client stands with its limits into the fields of an answer, in the families the policy asks for.
///
/// **Time.** A wait is told as the least whole number of seconds that is enough, at least 1: `Retry-After`, the body's `retry_after`,
/// the `t` of `RateLimit` and `X-RateLimit-Reset` in `delta` form are the wait rounded up. `X-RateLimit-Reset` in Unix seconds is
/// the first full second at which the wait is over, by the gateway's clock. Who waits for either is not too early.
///
/// `X-RateLimit-*` describe the limit closest to exhaustion: `Limit` is the bucket's capacity, `Remaining` its whole
/// tokens, `Reset` when it is full again, or, on refusal, when one token exists. Of a window `Limit` is the number of requests
/// that pass in it, `Remaining` what is left of them, and `Reset` in every answer when it ends. `RateLimit-Policy` and
/// `RateLimit` (draft-ietf-httpapi-ratelimit-headers-11) list every limit; there the capacity is the quota `q`, and the window
/// `w` the time in which an empty bucket fills, or the window's length.
package struct RateHeaders: Sendable {
    private let writesX: Bool
    private let writesIETF: Bool
    private let reset: RateHeaderStyle.Reset

    package init(_ style: RateHeaderStyle) {
        writesX = style.families.contains(.x)
        writesIETF = style.families.contains(.ietf)
        reset = style.reset
    }

    /// Adds the fields of the style, and `Retry-After` (RFC 9110 §10.2.3) on a refusal. Nothing for a request without
    /// limits.
    package func append(_ status: RateStatus, now: ClockReading, to lines: inout HeaderLines) {
        guard !status.limits.isEmpty else { return }
        if writesX {
            let value =
                reset == .unix
                ? Self.resetSecond(status.resetAfter, now: now.wall)
                : Self.retryAfterSeconds(status.resetAfter)
            status.limit.line.append(to: &lines)
            lines.append(name: "X-RateLimit-Remaining", decimal: status.remaining)
            lines.append(name: "X-RateLimit-Reset", decimal: Int(value))
        }
        if writesIETF {
            lines.append(name: "RateLimit-Policy") { Self.appendPolicies(of: status, to: &$0) }
            lines.append(name: "RateLimit") { Self.appendStanding(status, to: &$0) }
        }
        if status.isRefused {
            lines.append(name: "Retry-After") { $0.append(decimal: Self.retryAfterSeconds(status.retryAfter)) }
        }
    }

    /// Seconds to tell a client to wait: the least whole number that is enough, at least 1.
    package static func retryAfterSeconds(_ wait: Nanoseconds) -> Int64 { max(1, wait.secondsRoundedUp) }

    /// The Unix second a client is told to wait for: the first at which the wait is over, always in the future.
    package static func resetSecond(_ wait: Nanoseconds, now: WallTime) -> Int64 {
        let end = now.advanced(by: max(0, wait))
        let isWhole = end.nanoseconds % 1_000_000_000 == 0
        return max(now.seconds &+ 1, end.seconds &+ (isWhole ? 0 : 1))
    }

    /// Whether a field tells of rate limits in one of the dialects in use: an upstream's own, which contradict ours.
    package static func isRateField(_ name: Span<UInt8>) -> Bool {
        guard name.count >= 9 else { return false }
        switch name[0].lowercasedASCII {
        case UInt8(ascii: "r"):
            if name.extracting(0..<9).equalsIgnoringCase("ratelimit") {
                return name.count == 9 || name[9] == UInt8(ascii: "-")
            }
            return hasPrefix("rate-limit-", name)
        case UInt8(ascii: "x"):
            return hasPrefix("x-ratelimit-", name) || hasPrefix("x-rate-limit-", name)
        default:
            return false
        }
    }

    private static func hasPrefix(_ prefix: StaticString, _ name: Span<UInt8>) -> Bool {
        let count = prefix.utf8CodeUnitCount
        return name.count > count && name.extracting(0..<count).equalsIgnoringCase(prefix)
    }

    private static func appendPolicies(of status: RateStatus, to bytes: inout [UInt8]) {
        let start = bytes.count
        for index in status.limits.indices where status.standsForItsLimit(index) {
            let limit = status.limits[index]
            if bytes.count > start { bytes.append(", ") }
            bytes.append(contentsOf: limit.quotedName)
            bytes.append(";q=")
            bytes.append(decimal: limit.rule.capacity)
            bytes.append(";w=")
            bytes.append(decimal: max(1, limit.rule.span.secondsRoundedUp))
        }
    }

    private static func appendStanding(_ status: RateStatus, to bytes: inout [UInt8]) {
        let start = bytes.count
        for index in status.limits.indices where status.standsForItsLimit(index) {
            let measure = status[index]
            if bytes.count > start { bytes.append(", ") }
            bytes.append(contentsOf: status.limits[index].quotedName)
            bytes.append(";r=")
            bytes.append(decimal: measure.remaining)
            bytes.append(";t=")
            bytes.append(decimal: measure.resetAfter == 0 ? 0 : Self.retryAfterSeconds(measure.resetAfter))
        }
    }
}
