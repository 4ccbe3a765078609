import Core
import Testing

@testable import Policy

/// A generator with a seed, so that a random schedule is the same each time.
struct SeededGenerator: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}

let sampleSeed = HashSeed(0x0123_4567_89AB_CDEF, 0xFEDC_BA98_7654_3210)

func limit(
    _ name: String = "standard", requests: Int, per: Nanoseconds, burst: Int
) throws -> Limit {
    try Limit(
        name: name,
        LimitConfiguration(
            requests: requests, per: per, burst: burst, by: [.identity], position: SourcePosition(line: 1, column: 1)))
}

func window(_ name: String = "standard", requests: Int, per: Nanoseconds) throws -> Limit {
    try Limit(
        name: name,
        LimitConfiguration(
            kind: .window, requests: requests, per: per, burst: requests, by: [.identity],
            position: SourcePosition(line: 1, column: 1)))
}

extension Limit {
    /// The numbers of a token bucket.
    var bucket: BucketRule {
        get throws {
            guard case .bucket(let rule) = rule else { throw LimitError.noPeriod }
            return rule
        }
    }
}

func list(_ limits: Limit...) throws -> LimitList { try #require(LimitList(limits)) }

func instant(_ nanoseconds: Int64) -> Instant { Instant(nanoseconds: nanoseconds) }

extension BucketTable {
    /// Takes from the buckets of one principal.
    func take(_ limits: LimitList, for principal: String = "somebody", at now: Instant) -> RateOutcome {
        take(limits, keys: keys(limits, principal), now: now)
    }

    func keys(_ limits: LimitList, _ principal: String) -> BucketKeys {
        var keys = BucketKeys.unset
        let bytes = Array(principal.utf8)
        for index in limits.indices { keys[index] = key(for: limits[index], principal: bytes.span) }
        return keys
    }
}

extension RateOutcome {
    var status: RateStatus? {
        switch self {
        case .taken(let status), .refused(let status): status
        case .tableFull: nil
        }
    }

    var isTaken: Bool {
        switch self {
        case .taken: true
        case .refused, .tableFull: false
        }
    }

    var isRefused: Bool {
        switch self {
        case .refused: true
        case .taken, .tableFull: false
        }
    }

    var isTableFull: Bool {
        switch self {
        case .tableFull: true
        case .taken, .refused: false
        }
    }
}
