package import Core

/// Writes where a client stands with its limits into the fields of an answer, in the families the policy asks for.
///
/// **One rule for time.** A wait is told in whole seconds and never too short. The reset second is the first full
/// second of Unix time at which the wait is over, `ceil(wall + wait)`; the number of seconds is that second minus the
/// one the clock stands in, `floor(wall)`, and at least 1. So `X-RateLimit-Reset` in Unix seconds is `floor(wall)` plus
/// its value in `delta` form, and on a refusal that same number is `Retry-After`, the `t` of `RateLimit` and the body's
/// `retry_after`: all name one instant, and a client that waits for it, by either clock, is not too early. It may be up
/// to a second more than the wait rounded up; of a window the number of seconds is never more than its length, while the Unix
/// second stays, the same for all requests of the window.
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
                : Self.retryAfterSeconds(status.resetAfter, now: now.wall, atMost: status.limit.rule.secondsLimit)
            status.limit.line.append(to: &lines)
            lines.append(name: "X-RateLimit-Remaining", decimal: status.remaining)
            lines.append(name: "X-RateLimit-Reset", decimal: Int(value))
        }
        if writesIETF {
            lines.append(name: "RateLimit-Policy") { Self.appendPolicies(of: status, to: &$0) }
            lines.append(name: "RateLimit") { Self.appendStanding(status, now: now.wall, to: &$0) }
        }
        if status.isRefused {
            lines.append(name: "Retry-After") {
                let limit = status.limit.rule.secondsLimit
                $0.append(decimal: Self.retryAfterSeconds(status.retryAfter, now: now.wall, atMost: limit))
            }
        }
    }

    /// Seconds to tell a client to wait, at least 1.
    /// - Parameter limit: `LimitRule.secondsLimit` of the limit the wait is for, if it is for one.
    package static func retryAfterSeconds(_ wait: Nanoseconds, now: WallTime, atMost limit: Int64 = .max) -> Int64 {
        let end = now.advanced(by: max(0, wait))
        let isWhole = end.nanoseconds % 1_000_000_000 == 0
        return min(limit, max(1, end.seconds &+ (isWhole ? 0 : 1) &- now.seconds))
    }

    /// The Unix second a client is told to wait for, always in the future.
    package static func resetSecond(_ wait: Nanoseconds, now: WallTime) -> Int64 {
        now.seconds &+ retryAfterSeconds(wait, now: now)
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

    private static func appendStanding(_ status: RateStatus, now: WallTime, to bytes: inout [UInt8]) {
        let start = bytes.count
        for index in status.limits.indices where status.standsForItsLimit(index) {
            let measure = status[index]
            if bytes.count > start { bytes.append(", ") }
            bytes.append(contentsOf: status.limits[index].quotedName)
            bytes.append(";r=")
            bytes.append(decimal: measure.remaining)
            bytes.append(";t=")
            let isFull = measure.resetAfter == 0
            let limit = status.limits[index].rule.secondsLimit
            bytes.append(decimal: isFull ? 0 : Self.retryAfterSeconds(measure.resetAfter, now: now, atMost: limit))
        }
    }
}
