import Core
import HTTP1
import Testing

@testable import Policy

struct RouteTableTests {
    private func table(_ routes: [RouteConfiguration]) throws -> (table: RouteTable, ties: [RouteTableBuilder.Tie]) {
        let builder = RouteTableBuilder(routes, patterns: try routes.map { try PathPattern($0.path.value) })
        return (builder.table(seed: HashSeed(5, 6)), builder.ties)
    }

    private func find(_ table: RouteTable, _ request: String, _ fields: [String] = []) throws -> RouteTable.Outcome {
        let head = try PolicyFixture.head(request, fields)
        var scratch: [UInt8] = []
        return table.route(head, path: head.bytes.span.extracting(head.path.range), scratch: &scratch)
    }

    @Test(arguments: [
        ("/a/b", 0), ("/a/x", 1), ("/a/b/c", 2), ("/a/x/c", 3), ("/a/x/d", 4), ("/a", 4), ("/a/", 4), ("/", 5),
        ("/b", 6), ("/b/", 6), ("/c/x/y", 6),
    ])
    func `the most specific pattern wins, segment by segment`(path: String, expected: Int) throws {
        let patterns = ["/a/b", "/a/{x}", "/a/b/c", "/a/{x}/c", "/a/**", "/", "/**"]
        let (table, ties) = try table(patterns.map { PolicyFixture.route($0) })
        #expect(ties == [])
        #expect(try find(table, "GET \(path)") == .found(expected))
    }

    @Test func `a literal that leads nowhere gives way to a capture`() throws {
        let (table, _) = try table(["/a/b/c", "/a/{x}/d"].map { PolicyFixture.route($0) })
        #expect(try find(table, "GET /a/b/d") == .found(1))
        #expect(try find(table, "GET /a/b/e") == .notFound)
        #expect(try find(table, "GET /a//d") == .notFound)
    }

    @Test func `a slash at the end makes another path`() throws {
        let (table, _) = try table([PolicyFixture.route("/a"), PolicyFixture.route("/b/")])
        #expect(try find(table, "GET /a") == .found(0))
        #expect(try find(table, "GET /a/") == .notFound)
        #expect(try find(table, "GET /b") == .notFound)
        #expect(try find(table, "GET /b/") == .found(1))
    }

    @Test(arguments: [
        ("api.test", 0), ("API.TEST:8080", 0), ("api.test.", 0), ("x.wild.test", 1), ("y.x.wild.test", 1),
        ("z.y.wild.test", 2), ("wild.test", 3), ("other.test", 3), ("[::1]:80", 3),
    ])
    func `hosts match exactly, then by their longest suffix, then any`(host: String, expected: Int) throws {
        let (table, _) = try table(
            [["api.test"], ["*.wild.test"], ["*.y.wild.test"], []].map { hosts in
                PolicyFixture.route("/") { $0.hosts = hosts }
            })
        #expect(try find(table, "GET /", ["Host: \(host)"]) == .found(expected))
    }

    @Test func `a host without the path leaves it to wider hosts`() throws {
        let (table, _) = try table([
            PolicyFixture.route("/a") { $0.hosts = ["api.test"] }, PolicyFixture.route("/healthz"),
        ])
        #expect(try find(table, "GET /healthz", ["Host: api.test"]) == .found(1))
    }

    @Test func `the pattern that fits best decides alone about methods`() throws {
        let (table, _) = try table([
            PolicyFixture.route("/admin/**") { $0.methods = ["GET"] }, PolicyFixture.route("/**"),
        ])
        #expect(try find(table, "GET /admin/x") == .found(0))
        #expect(try find(table, "HEAD /admin/x") == .found(0))
        guard case .methodNotAllowed(let leaf) = try find(table, "POST /admin/x") else {
            Issue.record("a wider pattern got the request")
            return
        }
        #expect(table.allow(leaf) == Array("GET, HEAD".utf8))
        #expect(try find(table, "POST /x") == .found(1))
    }

    @Test func `named methods come before any method`() throws {
        let (table, ties) = try table([
            PolicyFixture.route("/a"), PolicyFixture.route("/a") { $0.methods = ["POST", "PURGE"] },
        ])
        #expect(ties == [])
        #expect(try find(table, "POST /a") == .found(1))
        #expect(try find(table, "PURGE /a") == .found(1))
        #expect(try find(table, "GET /a") == .found(0))
        #expect(try find(table, "purge /a") == .found(0))
    }

    @Test func `more header conditions come before fewer`() throws {
        let (table, ties) = try table([
            PolicyFixture.route("/a"),
            PolicyFixture.route("/a") { $0.headers = [.init(name: "X-Version", value: "2")] },
            PolicyFixture.route("/a") { $0.headers = [.init(name: "X-Version", value: "3")] },
        ])
        #expect(ties == [])
        #expect(try find(table, "GET /a") == .found(0))
        #expect(try find(table, "GET /a", ["x-version: 2"]) == .found(1))
        #expect(try find(table, "GET /a", ["X-VERSION: 3"]) == .found(2))
        #expect(try find(table, "GET /a", ["X-Version: 4"]) == .found(0))
        #expect(try find(table, "GET /a", ["X-Version: 2", "X-Version: 3"]) == .found(0))
    }

    @Test func `a request that lacks a header is not found, whatever its method`() throws {
        let (table, _) = try table([
            PolicyFixture.route("/a") {
                $0.headers = [.init(name: "X-Key", value: nil)]
                $0.methods = ["GET"]
            }
        ])
        #expect(try find(table, "POST /a") == .notFound)
        #expect(try find(table, "GET /a", ["X-Key:"]) == .found(0))
    }

    @Test func `routes that tie are found`() throws {
        let (_, ties) = try table([
            PolicyFixture.route("/a/{x}") { $0.methods = ["GET", "POST"] },
            PolicyFixture.route("/a/{y}") { $0.methods = ["POST"] },
            PolicyFixture.route("/a/{z}") { $0.methods = ["PUT"] },
            PolicyFixture.route("/b") { $0.hosts = ["one.test", "two.test"] },
            PolicyFixture.route("/b") { $0.hosts = ["two.test"] },
            PolicyFixture.route("/b"),
            PolicyFixture.route("/c") { $0.headers = [.init(name: "X-A", value: nil)] },
            PolicyFixture.route("/c") { $0.headers = [.init(name: "X-B", value: nil)] },
            PolicyFixture.route("/d") { $0.methods = ["HEAD"] },
            PolicyFixture.route("/d") { $0.methods = ["GET"] },
        ])
        #expect(
            ties == [
                .init(first: 0, second: 1), .init(first: 3, second: 4), .init(first: 6, second: 7),
                .init(first: 8, second: 9),
            ])
    }

    @Test func `each of many equal routes ties once, with the first`() throws {
        let (_, ties) = try table((0..<300).map { _ in PolicyFixture.route("/a") { $0.hosts = ["one.test", "two.test"] } })
        #expect(ties == (1..<300).map { .init(first: 0, second: $0) })
    }

    @Test func `the table agrees with trying every pattern`() throws {
        var generator = SplitMix(state: 2024)
        let words = ["a", "b", "c", "{x}"]
        for _ in 0..<60 {
            var patterns: Set<String> = []
            for _ in 0..<40 {
                let segments = (0..<generator.next(below: 4)).map { index in
                    let word = words[generator.next(below: words.count)]
                    return word == "{x}" ? "{x\(index)}" : word
                }
                let tail = ["", "/", "/**"][generator.next(below: 3)]
                let pattern = segments.map { "/\($0)" }.joined() + tail
                patterns.insert(pattern.isEmpty ? "/" : pattern)
            }
            let list = patterns.sorted()
            let (table, ties) = try table(list.map { PolicyFixture.route($0) })
            #expect(ties == [])
            for _ in 0..<200 {
                let segments = (0..<generator.next(below: 5)).map { _ in ["a", "b", "c", "d"][generator.next(below: 4)]
                }
                let path =
                    "/" + segments.joined(separator: "/")
                    + (segments.isEmpty ? "" : ["", "/"][generator.next(below: 2)])
                let expected = try bruteForce(list, path)
                let found = try find(table, "GET \(path)")
                #expect(found == expected.map(RouteTable.Outcome.found) ?? .notFound, "\(path) in \(list)")
            }
        }
    }

    /// The best of all patterns that match: compared from the left, literal before capture before rest before end.
    private func bruteForce(_ patterns: [String], _ path: String) throws -> Int? {
        let parts = path.dropFirst().split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        let endsInSlash = parts.last == ""
        let segments = endsInSlash ? Array(parts.dropLast()) : parts
        var best: (rank: [Int], index: Int)?
        for (index, text) in patterns.enumerated() {
            let pattern = try PathPattern(text)
            var rank: [Int] = []
            guard pattern.segments.count <= segments.count else { continue }
            var fits = true
            for (own, segment) in zip(pattern.segments, segments) {
                switch own {
                case .literal(let literal):
                    fits = fits && literal == segment
                    rank.append(0)
                case .capture: rank.append(1)
                }
            }
            switch pattern.tail {
            case .none: fits = fits && pattern.segments.count == segments.count && !endsInSlash
            case .slash: fits = fits && pattern.segments.count == segments.count && endsInSlash
            case .rest: rank.append(2)
            }
            guard fits else { continue }
            if best.map({ rank.lexicographicallyPrecedes($0.rank) }) ?? true { best = (rank, index) }
        }
        return best?.index
    }

    @Test func `ten thousand routes are told apart`() throws {
        let routes = (0..<10_000).map { PolicyFixture.route("/v1/service\($0)/{id}", name: "r\($0)") }
        let (table, _) = try table(routes)
        for index in stride(from: 0, to: 10_000, by: 97) {
            #expect(try find(table, "GET /v1/service\(index)/7") == .found(index))
        }
        #expect(try find(table, "GET /v1/service10000/7") == .notFound)
    }
}
