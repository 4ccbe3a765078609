import Core
import Testing

@testable import Policy

/// Servers that read paths in their own way, and routes, both written down without the gateway's code.
struct PathModelTests {
    /// A server, by what it does to a path.
    private struct Server {
        var cutsBeforeDecoding: Bool
        var cutsAfterDecoding: Bool
        var decodings: Int
        var splitsAfterDecoding: Bool
        var foldsCase: Bool
        var trims: Bool
        var merges: Bool
        var cutsAuthority: Bool

        init(_ chance: inout SplitMix) {
            func coin() -> Bool { chance.next(below: 2) == 0 }
            cutsBeforeDecoding = coin()
            cutsAfterDecoding = coin()
            decodings = 1 + chance.next(below: 2)
            splitsAfterDecoding = coin()
            foldsCase = coin()
            trims = coin()
            merges = coin()
            cutsAuthority = coin()
        }

        /// The segments of a target's path as the server sees them.
        func segments(of target: String) -> [String] {
            var pieces = target.dropFirst().split(separator: "/", omittingEmptySubsequences: false).map(String.init)
            if cutsBeforeDecoding { pieces = pieces.map(Self.cut) }
            for _ in 0..<decodings { pieces = pieces.map(Self.decoded) }
            if splitsAfterDecoding {
                pieces = pieces.flatMap { piece in
                    piece.split(omittingEmptySubsequences: false) { $0 == "/" || $0 == "\\" }.map(String.init)
                }
            }
            if cutsAfterDecoding { pieces = pieces.map(Self.cut) }
            if trims { pieces = pieces.map(Self.trimmed) }
            if cutsAuthority, pieces.count > 1, pieces[0].isEmpty {
                pieces = Array(pieces.drop { $0.isEmpty }.dropFirst())
                if pieces.isEmpty { pieces = [""] }
            }
            pieces = resolved(pieces)
            return foldsCase ? pieces.map { $0.lowercased() } : pieces
        }

        private func resolved(_ pieces: [String]) -> [String] {
            var result: [String] = []
            for (index, piece) in pieces.enumerated() {
                let isLast = index == pieces.count - 1
                switch piece {
                case "" where merges && !isLast: continue
                case ".": if isLast { result.append("") }
                case "..":
                    if !result.isEmpty { result.removeLast() }
                    if isLast { result.append("") }
                default: result.append(piece)
                }
            }
            return result.isEmpty ? [""] : result
        }

        private static func cut(_ piece: String) -> String { String(piece.prefix { $0 != ";" }) }

        private static func trimmed(_ piece: String) -> String {
            var rest = Substring(piece)
            while let last = rest.last, last == "." || last == " " { rest.removeLast() }
            if !rest.isEmpty { return String(rest) }
            // Dots alone are another segment.
            rest = Substring(piece)
            while rest.count > 1, rest.last == " " { rest.removeLast() }
            return String(rest)
        }

        private static func decoded(_ piece: String) -> String {
            var bytes: [UInt8] = []
            bytes.append(percentDecoding: piece.utf8.span)
            return String(decoding: bytes, as: UTF8.self)
        }
    }

    /// The policy says that encoded slashes are parts of segments: to a server that splits there the path need not be one of the
    /// policy's, as long as it does not lead out of where it is.
    private static func keepsSlashes(_ target: String) -> Bool {
        let text = target.uppercased()
        return ["%2F", "%5C"].contains(where: text.contains) && ![".", "%2E", "%252E"].contains(where: text.contains)
    }

    private static let patterns = [
        "/**", "/admin/**", "/admin/secret", "/Pub/{x}", "/Pub/x/**", "/x", "/x/", "/{a}/secret", "/x/{b}/admin", "/admin", "/pics/**",
        "/", "/a%3Bb/{x}", "/a,b",
    ]

    /// The pattern that fits segments best, the first of equals.
    static func best(of patterns: [String], _ segments: [String], foldsCase: Bool) -> String? {
        var found: (pattern: String, rank: [Int])?
        for pattern in patterns {
            guard let rank = rank(of: pattern, segments, foldsCase) else { continue }
            if found == nil || rank.lexicographicallyPrecedes(found?.rank ?? []) { found = (pattern, rank) }
        }
        return found?.pattern
    }

    /// How a pattern fits: 0 for a literal, 1 for a capture, 2 for the rest, segment by segment.
    private static func rank(of pattern: String, _ segments: [String], _ foldsCase: Bool) -> [Int]? {
        var pieces = pattern.dropFirst().split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        let hasRest = pieces.last == "**"
        if hasRest { pieces.removeLast() }
        var rank: [Int] = []
        for (index, piece) in pieces.enumerated() {
            guard index < segments.count else { return nil }
            if piece.hasPrefix("{") {
                guard !segments[index].isEmpty else { return nil }
                rank.append(1)
            } else {
                var bytes: [UInt8] = []
                bytes.append(percentDecoding: piece.utf8.span)
                let literal = String(decoding: bytes, as: UTF8.self)
                guard segments[index] == (foldsCase ? literal.lowercased() : literal) else { return nil }
                rank.append(0)
            }
        }
        if hasRest { return rank + [2] }
        return segments.count == pieces.count ? rank + [0] : nil
    }

    private static let pieces = [
        "/", "/", "/", "//", "admin", "ADMIN", "secret", "Secret", "x", "Pub", "pub", "a", ";", ";v=1", "%3B", "%253B", "%2561dmin",
        ".", "..", "%2e", "%252e", "%252F", "%255C", "%20", "%25", "%2541", "%2F", "%5c", "a,b", "a%2Cb", "%2520",
    ]

    @Test(arguments: 1...4)
    func `what is forwarded is the same route's to every server`(seed: Int) throws {
        var chance = SplitMix(state: UInt64(seed))
        var (forwarded, refused) = (0, 0)
        for _ in 0..<60 {
            let patterns = Self.patterns.filter { _ in chance.next(below: 3) > 0 }
            if patterns.isEmpty { continue }
            let fixture = try PolicyFixture { configuration in
                configuration.routes = patterns.map { PolicyFixture.route($0) }
                configuration.paths.encodedSlash = chance.next(below: 2) == 0 ? .keep : .reject
                configuration.paths.dotSegments = chance.next(below: 2) == 0 ? .remove : .reject
            }
            for _ in 0..<150 {
                var path = "/"
                for _ in 0..<1 + chance.next(below: 7) { path += Self.pieces[chance.next(below: Self.pieces.count)] }
                guard let head = try? PolicyFixture.head("GET \(path)") else { continue }
                var request = head
                let decision = fixture.snapshot.decide(
                    &request, connection: try PolicyFixture.facts(), now: fixture.now, memory: fixture.memory)
                guard case .forward(let grant) = decision else {
                    if case .refuse(let refusal) = decision, refusal.denial == .path(.ambiguous) { refused += 1 }
                    continue
                }
                forwarded += 1
                var plan = UpstreamPlan()
                _ = fixture.snapshot.prepare(
                    grant, head: &request, connection: try PolicyFixture.facts(), requestID: PolicyFixture.requestID.utf8.span,
                    into: &plan)
                let target = String(decoding: plan.target, as: UTF8.self)
                for _ in 0..<20 {
                    let server = Server(&chance)
                    let segments = server.segments(of: target)
                    let route = Self.best(of: patterns, segments, foldsCase: server.foldsCase)
                    #expect(
                        route == grant.route.name || route == nil && server.splitsAfterDecoding && Self.keepsSlashes(target),
                        "\(path) goes on as \(target), which \(server) reads as \(segments) under \(patterns)")
                }
            }
        }
        // Neither all nor nothing is refused.
        #expect(forwarded > 500 && refused > 500)
    }
}
