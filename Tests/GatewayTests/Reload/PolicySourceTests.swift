import Core
import Foundation
import IO
import Policy
import Testing

@testable import Gateway

@Suite struct PolicySourceTests {
    /// A policy over one upstream; `more` adds members at the top, `route` to its only route.
    static func policy(
        _ more: String = "", authenticate: String = "\"none\"", server: String = "127.0.0.1:9"
    ) -> String {
        """
        {
          "listeners": [{ "address": "127.0.0.1:0" }],
          "upstreams": { "up": { "servers": ["http://\(server)"] } },
          \(more)
          "routes": [{ "name": "all", "match": { "path": "/**" }, "authenticate": \(authenticate), "upstream": "up" }]
        }
        """
    }

    static func tokens(_ keySet: String) -> String {
        """
        "key_sets": { "issuer": \(keySet) },
        "authenticators": {
          "jwt": {
            "type": "jwt", "issuer": "https://i", "audiences": ["a"], "algorithms": ["ES256"], "key_set": "issuer"
          }
        },
        """
    }

    static func errors(_ load: PolicyLoad) -> [String] {
        load.diagnostics.filter { $0.severity == .error }.map(\.description)
    }

    @Test func `a policy is loaded and its file is watched`() throws {
        let folder = try TemporaryFolder()
        let path = try folder.write(Self.policy(), to: "gateway.json")
        let load = PolicySource(path: path).load()
        let policy = try #require(load.policy)
        #expect(Self.errors(load) == [])
        #expect(policy.snapshot.routes.map(\.name) == ["all"])
        #expect(policy.upstreams.map(\.name) == ["up"])
        let endpoint = SocketEndpoint(address: IPAddress(v4: 0x7F00_0001), port: 9)
        #expect(policy.upstreams[0].servers.map(\.endpoint) == [endpoint])
        #expect(policy.upstreams[0].servers.map(\.hostField) == [Array("127.0.0.1:9".utf8)])
        #expect(load.watchedFiles == [WatchedFile(path: path, seen: FileIdentity(path: path))])
        #expect(policy.watchedFiles == load.watchedFiles)
    }

    @Test func `a file that is not there is watched, so that it may come`() throws {
        let folder = try TemporaryFolder()
        let path = folder.path("gateway.json")
        let load = PolicySource(path: path).load()
        #expect(load.policy == nil)
        #expect(load.isUnreadable)
        #expect(Self.errors(load) == ["\(path): cannot read \(path): No such file or directory"])
        #expect(load.watchedFiles == [WatchedFile(path: path, seen: nil)])
    }

    @Test func `a mistake in the file is named by its place`() throws {
        let folder = try TemporaryFolder()
        let path = try folder.write("{\n  \"lopps\": 1\n}", to: "gateway.json")
        let load = PolicySource(path: path).load()
        #expect(load.policy == nil)
        #expect(!load.isUnreadable)
        #expect(Self.errors(load).contains { $0.hasPrefix("\(path):2:3: ") && $0.contains("lopps") })
    }

    @Test func `named files are found beside the policy file and watched, found or not`() throws {
        let folder = try TemporaryFolder()
        let text = Self.policy(Self.tokens("{ \"file\": \"keys/set.json\" }"), authenticate: "[\"jwt\"]")
        let path = try folder.write(text, to: "gateway.json")
        let missing = PolicySource(path: path).load()
        #expect(missing.policy == nil)
        #expect(Self.errors(missing).contains { $0.contains("key_sets.issuer: ") && $0.contains("No such file") })
        #expect(missing.watchedFiles.map(\.path) == [path, folder.path("keys/set.json")])
        try FileManager.default.createDirectory(atPath: folder.path("keys"), withIntermediateDirectories: false)
        try folder.write(KeySetFetcherTests.document(KeySetFetcherTests.ec), to: "keys/set.json")
        let load = PolicySource(path: path).load()
        let policy = try #require(load.policy)
        #expect(KeySetFetcherTests.kids(policy.keySets[0].cell) == ["ec"])
        let now = missing.watchedFiles.map { WatchedFile(path: $0.path, seen: FileIdentity(path: $0.path)) }
        #expect(load.watchedFiles == now)
    }

    @Test func `keys of a changed file are in force when the policy is adopted, not before`() throws {
        let folder = try TemporaryFolder()
        let path = try folder.write(
            Self.policy(Self.tokens("{ \"file\": \"set.json\" }"), authenticate: "[\"jwt\"]"), to: "gateway.json")
        try folder.write(KeySetFetcherTests.document(KeySetFetcherTests.ec), to: "set.json")
        let source = PolicySource(path: path)
        let first = try #require(source.load().policy)
        try folder.write(KeySetFetcherTests.document(KeySetFetcherTests.ed), to: "set.json")
        let second = try #require(source.load(previous: first).policy)
        #expect(second.keySets[0].cell === first.keySets[0].cell)
        #expect(KeySetFetcherTests.kids(first.keySets[0].cell) == ["ec"])
        KeySetFetcher(log: RecordingLog().log).adopt(second.keySets)
        #expect(KeySetFetcherTests.kids(second.keySets[0].cell) == ["ed"])
    }

    @Test func `a key set keeps its place while its URL stays, and another URL gets a new one`() throws {
        let folder = try TemporaryFolder()
        func load(_ url: String, _ previous: CompiledPolicy?) throws -> CompiledPolicy {
            let text = Self.policy(Self.tokens("{ \"url\": \"\(url)\" }"), authenticate: "[\"jwt\"]")
            let path = try folder.write(text, to: "gateway.json")
            return try #require(PolicySource(path: path).load(previous: previous).policy)
        }
        let first = try load("http://127.0.0.1:1/a", nil)
        let second = try load("http://127.0.0.1:1/a", first)
        let third = try load("http://127.0.0.1:1/b", second)
        #expect(second.keySets[0].cell === first.keySets[0].cell)
        #expect(third.keySets[0].cell !== first.keySets[0].cell)
        #expect(third.keySets[0].cell.isRemote)
    }

    @Test func `the keys file is read in pieces and its errors name its lines`() throws {
        let folder = try TemporaryFolder()
        let authenticator = """
            "authenticators": { "keys": { "type": "api_key", "from": ["header:X-Key"], "keys_file": "keys.jsonl" } },
            """
        let path = try folder.write(Self.policy(authenticator, authenticate: "[\"keys\"]"), to: "gateway.json")
        func record(_ number: Int) -> String {
            let digest = String(repeating: "0", count: 58) + String(number + 100_000)
            return "{\"id\":\"key-\(number)\",\"sha256\":\"\(digest)\"}\n"
        }
        // Enough records that lines are cut by the pieces the file is read in.
        let records = (0..<5000).map(record).joined()
        try folder.write(records, to: "keys.jsonl")
        #expect(Self.errors(PolicySource(path: path).load()) == [])
        try folder.write(records + "{\"id\":\"bad\"}\n", to: "keys.jsonl")
        let errors = Self.errors(PolicySource(path: path).load())
        #expect(errors.count == 1)
        #expect(errors.first?.contains("keys.jsonl:5001:") == true)
    }

    @Test func `a secret file that everybody may read is a warning`() throws {
        let folder = try TemporaryFolder()
        let authenticator = """
            "authenticators": { "keys": { "type": "api_key", "from": ["header:X-Key"], "pepper": "file:pepper",
              "keys": [{ "id": "a", "hmac_sha256": "\(String(repeating: "0", count: 64))" }] } },
            """
        let path = try folder.write(Self.policy(authenticator, authenticate: "[\"keys\"]"), to: "gateway.json")
        let pepper = try folder.write("secret\n", to: "pepper")
        for (mode, isWarned) in [(0o644, true), (0o600, false)] {
            try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: pepper)
            let load = PolicySource(path: path).load()
            #expect(load.policy != nil)
            #expect(load.diagnostics.contains { $0.code == .fileWorldReadable } == isWarned)
        }
    }

    @Test func `a server whose name does not resolve is a warning, to serve and to check`() throws {
        let folder = try TemporaryFolder()
        let path = try folder.write(Self.policy(server: "no-such-host.invalid:80"), to: "gateway.json")
        for resolution in [PolicySource.Resolution.serving, .advisory] {
            let load = PolicySource(path: path, resolution: resolution).load()
            #expect(load.policy?.upstreams.map(\.servers) == [[]])
            let warning = try #require(load.diagnostics.first { $0.code == .serverInvalid })
            #expect(warning.severity == .warning && warning.message.hasPrefix("cannot resolve no-such-host.invalid"))
        }
    }

    @Test func `a relative access log lies beside the policy file`() throws {
        let folder = try TemporaryFolder()
        let path = try folder.write(Self.policy("\"access_log\": \"file:log/access.jsonl\","), to: "gateway.json")
        let policy = try #require(PolicySource(path: path).load().policy)
        #expect(policy.snapshot.configuration.accessLog == .file(folder.path("log/access.jsonl")))
    }

    // MARK: The policy's own tests

    static func tests(_ reason: String) -> String {
        "[{ \"name\": \"nothing is served\", \"request\": \"GET /x\", \"expect\": { \"reason\": \"\(reason)\" } }]"
    }

    @Test func `a policy whose test fails is not taken`() throws {
        let folder = try TemporaryFolder()
        let path = try folder.write(
            Self.policy("\"tests\": \(Self.tests("route_not_found")),"), to: "gateway.json")
        let load = PolicySource(path: path).load()
        #expect(load.policy == nil && load.testRuns.count == 1)
        #expect(Self.errors(load).count == 1)
        #expect(Self.errors(load).first?.contains("tests[0]: the test \"nothing is served\" failed: expect.reason is none") == true)
        #expect(load.diagnostics.first { $0.severity == .error }?.code == .testFailed)
        #expect(PolicySource(path: path).load(testsNamed: "something else").policy != nil)
    }

    @Test func `tests of a file count like those of the policy, and the file is watched`() throws {
        let folder = try TemporaryFolder()
        let path = try folder.write(
            Self.policy("\"tests_file\": \"tests.json\",", authenticate: "[\"jwt\"]").replacing(
                "\"routes\"", with: Self.tokens("{ \"url\": \"http://127.0.0.1:9/\" }") + "\"routes\""),
            to: "gateway.json")
        let missing = PolicySource(path: path).load()
        #expect(missing.policy == nil && missing.diagnostics.contains { $0.code == .fileUnreadable })
        _ = try folder.write(Self.tests("credential_missing"), to: "tests.json")
        let good = PolicySource(path: path).load()
        #expect(Self.errors(good) == [] && good.testRuns.map(\.result.isMet) == [true])
        #expect(good.watchedFiles.contains { $0.path.hasSuffix("tests.json") })
        _ = try folder.write(Self.tests("scope_missing"), to: "tests.json")
        let bad = PolicySource(path: path).load()
        #expect(bad.policy == nil && Self.errors(bad).first?.contains("tests.json:1:") == true)
        _ = try folder.write("[{}]", to: "tests.json")
        #expect(PolicySource(path: path).load().diagnostics.contains { $0.code == .memberMissing })
    }

    @Test func `a file of tests is a list, or an object with the list and the schema it is edited with`() throws {
        let folder = try TemporaryFolder()
        let path = try folder.write(
            Self.policy("\"tests_file\": \"more-tests.json\", \"tests\": \(Self.tests("route_not_found")),"), to: "gateway.json")
        let object = "{ \"$schema\": \"tests.schema.json\", \"tests\": \(Self.tests("route_not_found")) }"
        for content in [Self.tests("route_not_found"), object] {
            _ = try folder.write(content, to: "more-tests.json")
            // Both the policy's own test and that of the file run, and fail.
            let load = PolicySource(path: path).load()
            #expect(load.testRuns.count == 2 && Self.errors(load).count == 2)
            #expect(Self.errors(load).contains { $0.hasPrefix("\(folder.path("more-tests.json")):1:") })
        }
    }

    @Test(arguments: [
        ("{\n \"test\": [] }", "2:2: test: no member of this name is known here; did you mean \"tests\"?"),
        ("{}", "1:1: the member \"tests\" is missing"),
        ("\"tests\"", "1:1: expected a list of tests, found a string"),
        ("[{ \"name\": \"t\", \"reqest\": \"GET /\", \"expect\": { \"status\": 401 } }]", "1:17: [0].reqest: no member"),
        ("[", "1:1: "),
        ("", "1:1: "),
    ])
    func `a mistake in a file of tests is shown in that file, also where no test is run`(content: String, line: String) throws {
        let folder = try TemporaryFolder()
        let path = try folder.write(Self.policy("\"tests_file\": \"t.json\","), to: "gateway.json")
        _ = try folder.write(content, to: "t.json")
        for filter in ["", nil] {
            let load = PolicySource(path: path).load(testsNamed: filter)
            #expect(load.policy == nil)
            #expect(Self.errors(load).contains { $0.hasPrefix("\(folder.path("t.json")):\(line)") }, "\(Self.errors(load))")
        }
    }

    @Test func `a file of tests that cannot be read refuses the policy, and is watched until it can`() throws {
        let folder = try TemporaryFolder()
        let path = try folder.write(Self.policy("\n\"tests_file\": \"t.json\","), to: "gateway.json")
        for filter in ["", nil] {
            let load = PolicySource(path: path).load(testsNamed: filter)
            #expect(load.policy == nil && load.watchedFiles.contains { $0.path.hasSuffix("t.json") })
            #expect(Self.errors(load).first?.contains("gateway.json:5:15: tests_file: ") == true, "\(Self.errors(load))")
        }
    }

    @Test func `of many failures the first are named`() throws {
        let folder = try TemporaryFolder()
        let test = "{ \"name\": \"t\", \"request\": \"GET /x\", \"expect\": { \"status\": 404 } }"
        let list = Array(repeating: test, count: 60).joined(separator: ",")
        let load = PolicySource(path: try folder.write(Self.policy("\"tests\": [\(list)],"), to: "gateway.json")).load()
        #expect(load.policy == nil && load.testRuns.count == 60)
        #expect(Self.errors(load).count == 51)
        #expect(Self.errors(load).last?.contains("10 more tests failed") == true)
    }
}
