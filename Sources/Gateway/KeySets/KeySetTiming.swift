import Core
import Policy

/// When a key set is fetched, as plain arithmetic. `jitter` is in thousandths: 1000 leaves a span as it is.
enum KeySetTiming {
    /// Spans are varied by up to a tenth, so that a fleet of gateways does not ask an issuer all at once.
    static let jitterRange: ClosedRange<Int64> = 900...1100
    /// The longest time between two tries.
    static let retryLimit: Nanoseconds = .seconds(300)
    /// The shortest time between two fetches that nobody asked for, whatever is configured.
    static let leastDelay: Nanoseconds = .seconds(1)

    /// How long fetched keys are fresh: what the issuer says, else the configured time, within the configured bounds.
    static func freshness(_ lifetime: FetchedDocument.Lifetime, _ configuration: KeySetConfiguration) -> Nanoseconds {
        let minimum = max(configuration.minimumRefresh, leastDelay)
        let wanted =
            switch lifetime {
            case .unstated: configuration.refresh
            case .none: minimum
            case .lasts(let stated): stated
            }
        return max(minimum, min(wanted, configuration.maximumRefresh))
    }

    /// From a good fetch to the next: 80 % of the freshness, so that keys are new before they are old.
    static func refreshDelay(freshness: Nanoseconds, jitter: Int64) -> Nanoseconds {
        max(varied(freshness / 5 * 4, by: jitter), leastDelay)
    }

    /// From a failed fetch to the next: the cool-down, doubled with each failure up to five minutes. While there are no keys at all,
    /// and every token is refused, `leastDelay` is in its place.
    static func retryDelay(failures: Int, cooldown: Nanoseconds, jitter: Int64) -> Nanoseconds {
        var delay = min(max(cooldown, leastDelay), retryLimit)
        for _ in 1..<max(min(failures, 16), 1) { delay = min(delay * 2, retryLimit) }
        return max(varied(delay, by: jitter), leastDelay)
    }

    /// Divides first, since a span may be as long as the type allows.
    private static func varied(_ span: Nanoseconds, by jitter: Int64) -> Nanoseconds {
        let (product, overflow) = (span / 1000).multipliedReportingOverflow(by: jitter)
        return overflow ? span : product
    }
}
