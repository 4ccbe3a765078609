import Core
import Dispatch
import IO
import Policy
import Testing

@testable import Gateway

@Suite struct KeySetFetcherTests {
    static let ec =
        #"{"kty":"EC","crv":"P-256","kid":"ec","x":"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4","#
        + #""y":"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM"}"#
    static let ed =
        #"{"kty":"OKP","crv":"Ed25519","kid":"ed","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#

    static func document(_ keys: String...) -> String { "{\"keys\":[\(keys.joined(separator: ","))]}" }

    static func keySet(
        _ url: String, name: String = "issuer", cell: KeySetCell? = nil, cooldown: Nanoseconds = 0
    ) -> CompiledKeySet {
        let position = SourcePosition(line: 1, column: 1)
        var configuration = KeySetConfiguration(
            source: .url(Located(url, at: position, path: "key_sets.\(name).url")), position: position)
        configuration.cooldown = cooldown
        return CompiledKeySet(
            cell: cell ?? KeySetCell(name: name, isRemote: true), configuration: configuration, local: nil)
    }

    /// Waits, bounded, until the fetch under way is over; begins one when none is.
    static func wait(_ fetcher: KeySetFetcher, _ cell: KeySetCell) -> Bool {
        let done = DispatchSemaphore(value: 0)
        fetcher.refetch(cell) { done.signal() }
        return done.wait(timeout: .now() + 10) == .success
    }

    static func kids(_ cell: KeySetCell) -> [String] {
        cell.current(now: EventLoop.readClocks().instant)?.set.keys.compactMap(\.kid) ?? []
    }

    @Test func `a key set is fetched when it is adopted`() throws {
        let issuer = try ScriptedIssuer(answer: ScriptedIssuer.ok(Self.document(Self.ec)))
        defer { issuer.stop() }
        let fetcher = KeySetFetcher(log: RecordingLog().log)
        let set = Self.keySet(issuer.url)
        fetcher.adopt([set])
        #expect(Self.wait(fetcher, set.cell))
        #expect(Self.kids(set.cell) == ["ec"])
        #expect(fetcher.status().map(\.isUsable) == [true])
        fetcher.adopt([])
    }

    @Test func `those who wait for one key set share one fetch`() throws {
        let issuer = try ScriptedIssuer(answer: ScriptedIssuer.ok(Self.document(Self.ec)))
        defer { issuer.stop() }
        let fetcher = KeySetFetcher(log: RecordingLog().log)
        let set = Self.keySet(issuer.url)
        fetcher.adopt([set])
        #expect(Self.wait(fetcher, set.cell))
        let requests = issuer.requests.count
        // A listener that accepts nobody holds the fetch open until all have asked.
        let silent = try Sockets.listen(on: SocketEndpoint(address: IPAddress(v4: 0x7F00_0001), port: 0))
        var slow = Self.keySet("http://127.0.0.1:\(Sockets.localEndpoint(of: silent).port)/", cell: set.cell)
        slow.configuration.fetchTimeout = .milliseconds(300)
        fetcher.adopt([slow])
        let done = DispatchGroup()
        for _ in 0..<100 {
            done.enter()
            fetcher.refetch(set.cell) { done.leave() }
        }
        #expect(done.wait(timeout: .now() + 10) == .success)
        Sockets.closeDescriptor(silent)
        #expect(set.cell.status(now: EventLoop.readClocks().instant).consecutiveFailures == 1)
        #expect(Self.kids(set.cell) == ["ec"])
        #expect(issuer.requests.count == requests)
        fetcher.adopt([])
    }

    @Test func `a key that is gone from the next fetch is revoked, a new one is known`() throws {
        let issuer = try ScriptedIssuer(answer: ScriptedIssuer.ok(Self.document(Self.ec)))
        defer { issuer.stop() }
        let fetcher = KeySetFetcher(log: RecordingLog().log)
        let set = Self.keySet(issuer.url)
        fetcher.adopt([set])
        #expect(Self.wait(fetcher, set.cell))
        let generation = set.cell.generation
        issuer.answer(ScriptedIssuer.ok(Self.document(Self.ed)))
        #expect(Self.wait(fetcher, set.cell))
        #expect(Self.kids(set.cell) == ["ed"])
        #expect(set.cell.generation > generation)
        fetcher.adopt([])
    }

    /// An answer that brings no keys, named so that a failing test does not print megabytes.
    struct Rubbish: CustomTestStringConvertible {
        var testDescription: String
        var answer: String

        init(_ name: String, _ answer: String) {
            testDescription = name
            self.answer = answer
        }
    }

    static let blanks = String(repeating: " ", count: 10_000_000)

    @Test(arguments: [
        Rubbish("HTML", ScriptedIssuer.ok("<html>maintenance</html>")),
        Rubbish("no key", ScriptedIssuer.ok("{\"keys\":[]}")),
        Rubbish("nothing", ScriptedIssuer.ok("")),
        Rubbish(
            "a private key",
            ScriptedIssuer.ok(
                "{\"keys\":[\(ec.dropLast()),\"d\":\"870MB6gfuTJ4HtUnUvYMyJpr5eUZNP4Bk43bVdj3eAE\"}]}")),
        Rubbish("10 MB", ScriptedIssuer.ok(blanks)),
        Rubbish("10 MB in one chunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n989680\r\n" + blanks),
        Rubbish("10 MB until the end", "HTTP/1.1 200 OK\r\n\r\n" + blanks),
        Rubbish("a redirect", "HTTP/1.1 302 Found\r\nLocation: /other\r\nContent-Length: 0\r\n\r\n"),
        Rubbish("status 404", "HTTP/1.1 404 Not Found\r\n\r\n"),
        Rubbish("status 503", "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n"),
        Rubbish("no HTTP", "garbage"),
    ])
    func `rubbish never replaces good keys`(rubbish: Rubbish) throws {
        let issuer = try ScriptedIssuer(answer: ScriptedIssuer.ok(Self.document(Self.ec)))
        defer { issuer.stop() }
        let recording = RecordingLog()
        let fetcher = KeySetFetcher(log: recording.log)
        let set = Self.keySet(issuer.url)
        fetcher.adopt([set])
        #expect(Self.wait(fetcher, set.cell))
        let generation = set.cell.generation
        let requests = issuer.requests.count
        issuer.answer(rubbish.answer)
        #expect(Self.wait(fetcher, set.cell))
        #expect(issuer.requests.count == requests + 1)
        #expect(Self.kids(set.cell) == ["ec"])
        #expect(set.cell.generation == generation)
        let status = set.cell.status(now: EventLoop.readClocks().instant)
        #expect(status.consecutiveFailures == 1)
        #expect(status.lastError != nil)
        #expect(recording.messages.contains { $0.contains("the keys in force stay") })
        fetcher.adopt([])
    }

    @Test func `dead issuers delay neither adoption nor the others`() throws {
        let silent = try Sockets.listen(on: SocketEndpoint(address: IPAddress(v4: 0x7F00_0001), port: 0))
        defer { Sockets.closeDescriptor(silent) }
        let dead = "http://127.0.0.1:\(Sockets.localEndpoint(of: silent).port)/"
        let issuer = try ScriptedIssuer(answer: ScriptedIssuer.ok(Self.document(Self.ec)))
        defer { issuer.stop() }
        let fetcher = KeySetFetcher(log: RecordingLog().log)
        let good = Self.keySet(issuer.url)
        fetcher.adopt((0..<20).map { Self.keySet(dead, name: "dead\($0)") } + [good])
        #expect(Self.wait(fetcher, good.cell))
        #expect(Self.kids(good.cell) == ["ec"])
        // The dead ones are still being fetched: none has failed yet.
        #expect(fetcher.status().allSatisfy { $0.consecutiveFailures == 0 })
        fetcher.adopt([])
    }

    @Test func `another URL is fetched at once and the cell is kept`() throws {
        let first = try ScriptedIssuer(answer: ScriptedIssuer.ok(Self.document(Self.ec)))
        defer { first.stop() }
        let second = try ScriptedIssuer(answer: ScriptedIssuer.ok(Self.document(Self.ed)))
        defer { second.stop() }
        let fetcher = KeySetFetcher(log: RecordingLog().log)
        let set = Self.keySet(first.url)
        fetcher.adopt([set])
        #expect(Self.wait(fetcher, set.cell))
        fetcher.adopt([Self.keySet(second.url, cell: set.cell)])
        #expect(Self.wait(fetcher, set.cell))
        #expect(Self.kids(set.cell) == ["ed"])
        fetcher.adopt([])
    }

    @Test func `the state of key sets reads as JSON and as gauges`() throws {
        let issuer = try ScriptedIssuer(answer: ScriptedIssuer.ok(Self.document(Self.ec)))
        defer { issuer.stop() }
        let fetcher = KeySetFetcher(log: RecordingLog().log)
        let set = Self.keySet(issuer.url)
        fetcher.adopt([set])
        #expect(Self.wait(fetcher, set.cell))
        var bytes: [UInt8] = []
        KeySetStatusText.append(json: fetcher.status(), to: &bytes)
        let node = try JSONNode.parse(bytes.span)
        func text(_ pointer: String) -> String? {
            node.resolve(pointer: pointer).map { member in
                var out: [UInt8] = []
                out.append(json: member)
                return String(decoding: out, as: UTF8.self)
            }
        }
        #expect(text("/0/name") == #""issuer""#)
        #expect(text("/0/usable") == "true")
        #expect(text("/0/keys/0/kid") == #""ec""#)
        #expect(text("/0/keys/0/algorithms/0") == #""ES256""#)
        #expect(text("/0/last_error") == "null")
        var page = PrometheusText()
        KeySetStatusText.append(fetcher.status(), to: &page)
        let lines = String(decoding: page.bytes, as: UTF8.self).split(separator: "\n")
        #expect(lines.contains("portcullis_key_set_usable{key_set=\"issuer\"} 1"))
        #expect(lines.contains("portcullis_key_set_keys{key_set=\"issuer\"} 1"))
        fetcher.adopt([])
    }
}
