import Core
import Testing

@testable import Policy

/// Rules for paths that differ from route to route, held against servers written down without the gateway's code: every path of a
/// small alphabet.
struct PathRulesModelTests {
    /// A server, by the readings it has.
    private struct Server {
        var readings: Set<PathReading>

        /// The segments of a target's path as the server sees them.
        func segments(of target: String) -> [String] {
            var pieces = target.dropFirst().split(separator: "/", omittingEmptySubsequences: false).map { Self.decoded(String($0)) }
            if readings.contains(.invalidUTF8) { pieces = pieces.map { $0.filter { $0 != "\u{FFFD}" } } }
            if readings.contains(.encodedSlash) {
                pieces = pieces.flatMap { $0.split(separator: "/", omittingEmptySubsequences: false).map(String.init) }
            }
            if readings.contains(.parameters) { pieces = pieces.map { String($0.prefix { $0 != ";" }) } }
            if readings.contains(.emptySegments) {
                pieces = pieces.enumerated().filter { !$1.isEmpty || $0 == pieces.count - 1 }.map(\.element)
            }
            if readings.contains(.letterCase) { pieces = pieces.map { $0.lowercased() } }
            var result: [String] = []
            for (index, piece) in pieces.enumerated() {
                switch piece {
                case ".", "..":
                    if piece == "..", !result.isEmpty { result.removeLast() }
                    if index == pieces.count - 1 { result.append("") }
                default: result.append(piece)
                }
            }
            return result.isEmpty ? [""] : result
        }

        private static func decoded(_ piece: String) -> String {
            var bytes: [UInt8] = []
            bytes.append(percentDecoding: piece.utf8.span)
            return String(decoding: bytes, as: UTF8.self)
        }
    }

    private static let servers = [
        PathReading.parameters, .encodedSlash, .letterCase, .invalidUTF8, .emptySegments,
    ].reduce([Set<PathReading>()]) { sets, reading in sets + sets.map { $0.union([reading]) } }.map(Server.init)

    private static let patterns = ["/a/**", "/a/b", "/b/{x}", "/**", "/a/b/**", "/b/a/b"]
    private static let pieces = ["/", "a", "b", "A", "%2F", "..", ";", "%E9"]

    /// Every path of up to four pieces.
    private static let paths: [String] = {
        var level = ["/"]
        var all = level
        for _ in 0..<4 {
            level = level.flatMap { path in pieces.map { path + $0 } }
            all += level
        }
        return all
    }()

    private static func rules(_ chance: inout SplitMix) -> PathRules? {
        func coin() -> Bool { chance.next(below: 2) == 0 }
        if chance.next(below: 3) == 0 { return nil }
        var rules = PathRules()
        rules.encodedSlash = coin() ? .keep : .reject
        rules.dotSegments = coin() ? .remove : .reject
        rules.emptySegments = coin() ? .merge : .reject
        rules.invalidUTF8 = coin() ? .keep : .reject
        rules.readings = rules.readings.filter { _ in coin() }
        return rules
    }

    private static func permits(_ rules: PathRules, _ path: String) -> Bool {
        (rules.encodedSlash == .keep || !path.contains("%2F")) && (rules.invalidUTF8 == .keep || !path.contains("%E9"))
            && (rules.emptySegments == .merge || !path.contains("//"))
            && (rules.dotSegments == .remove || !path.split(separator: "/").contains(".."))
    }

    @Test(arguments: 1...5)
    func `no path gets by a weaker route where another route's reading names a stricter one`(seed: Int) throws {
        var chance = SplitMix(state: UInt64(seed))
        let patterns = Self.patterns.filter { _ in chance.next(below: 4) > 0 }
        let own = patterns.map { _ in Self.rules(&chance) }
        let base = Self.rules(&chance) ?? PathRules()
        let fixture = try PolicyFixture { configuration in
            configuration.paths = base
            configuration.routes = zip(patterns, own).map { pattern, rules in
                PolicyFixture.route(pattern) { $0.paths = rules }
            }
        }
        func rules(of pattern: String) -> PathRules { patterns.firstIndex(of: pattern).flatMap { own[$0] } ?? base }
        var (forwarded, refused) = (0, 0)
        for path in Self.paths {
            var head = try PolicyFixture.head("GET \(path)")
            let decision = fixture.snapshot.decide(
                &head, connection: try PolicyFixture.facts(), now: fixture.now, memory: fixture.memory)
            guard case .forward(let grant) = decision else {
                refused += 1
                continue
            }
            forwarded += 1
            var plan = UpstreamPlan()
            _ = fixture.snapshot.prepare(
                grant, head: &head, connection: try PolicyFixture.facts(), requestID: PolicyFixture.requestID.utf8.span, into: &plan)
            let target = String(decoding: plan.target, as: UTF8.self)
            let taker = grant.route.name
            #expect(Self.permits(rules(of: taker), path), "\(path) is taken by \(taker)")
            for server in Self.servers {
                let segments = server.segments(of: target)
                let other = PathModelTests.best(of: patterns, segments, foldsCase: server.readings.contains(.letterCase))
                if other == taker { continue }
                let ownReadings = rules(of: taker).readings
                if let other {
                    #expect(
                        !server.readings.isSubset(of: ownReadings.union(rules(of: other).readings)),
                        "\(path) goes on as \(target) by \(taker); \(server) reads it as \(segments), which is \(other)'s")
                } else {
                    #expect(
                        !server.readings.isSubset(of: ownReadings) || server.readings.contains(.encodedSlash) && target.contains("%2F"),
                        "\(path) goes on as \(target) by \(taker); \(server) reads it as \(segments)")
                }
            }
        }
        // Neither all nor nothing is refused.
        #expect(forwarded > 50 && refused > 50)
    }
}
