import Core
import Policy
import Testing

@testable import Gateway

@Suite struct KeySetTimingTests {
    static func configuration(
        refresh: Int64 = 600, minimum: Int64 = 60, maximum: Int64 = 86_400
    ) -> KeySetConfiguration {
        let position = SourcePosition(line: 1, column: 1)
        var configuration = KeySetConfiguration(source: .inline(json: "", position: position), position: position)
        configuration.refresh = .seconds(refresh)
        configuration.minimumRefresh = .seconds(minimum)
        configuration.maximumRefresh = .seconds(maximum)
        return configuration
    }

    @Test(arguments: [
        (FetchedDocument.Lifetime.unstated, 600 as Int64), (.none, 60), (.lasts(0), 60), (.lasts(.seconds(10)), 60),
        (.lasts(.seconds(300)), 300), (.lasts(.seconds(100_000)), 86_400),
    ])
    func `freshness stays within the configured bounds`(lifetime: FetchedDocument.Lifetime, seconds: Int64) {
        #expect(KeySetTiming.freshness(lifetime, Self.configuration()) == .seconds(seconds))
    }

    @Test func `bounds of nothing still leave a second`() {
        let configuration = Self.configuration(refresh: 0, minimum: 0, maximum: 0)
        #expect(KeySetTiming.freshness(.unstated, configuration) == .seconds(1))
        #expect(KeySetTiming.freshness(.none, configuration) == .seconds(1))
        #expect(KeySetTiming.refreshDelay(freshness: 0, jitter: 900) == .seconds(1))
        #expect(KeySetTiming.retryDelay(failures: 1, cooldown: 0, jitter: 900) == .seconds(1))
    }

    @Test(arguments: [(900 as Int64, 432 as Int64), (1000, 480), (1100, 528)])
    func `keys are fetched again before they are old`(jitter: Int64, seconds: Int64) {
        #expect(KeySetTiming.refreshDelay(freshness: .seconds(600), jitter: jitter) == .seconds(seconds))
    }

    @Test(arguments: [(1, 30 as Int64), (2, 60), (3, 120), (4, 240), (5, 300), (6, 300), (1000, 300)])
    func `failures back off from the cool-down to five minutes`(failures: Int, seconds: Int64) {
        #expect(
            KeySetTiming.retryDelay(failures: failures, cooldown: .seconds(30), jitter: 1000) == .seconds(seconds))
    }

    @Test func `spans of any length overflow nothing`() {
        #expect(KeySetTiming.refreshDelay(freshness: .max, jitter: 1100) > .seconds(86_400))
        #expect(KeySetTiming.retryDelay(failures: .max, cooldown: .max, jitter: 1100) == .seconds(330))
    }
}
