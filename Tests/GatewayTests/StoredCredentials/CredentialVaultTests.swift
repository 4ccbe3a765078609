import Core
import Crypto
import Dispatch
import Store
import Synchronization
import Testing
import TokenService

@testable import Gateway
@testable import Policy

/// The vault with a network, a store and a clock of the test's own.
struct CredentialVaultTests {
    /// Answers refreshes in turn; the last answer stays.
    final class Network: Sendable {
        private let answers: Mutex<[Result<[UInt8], FetchFault>]>
        private let stored = Mutex<[FetchRequest]>([])
        private let time = Mutex(CredentialSample.clock(0))

        init(_ answers: Result<[UInt8], FetchFault>...) { self.answers = Mutex(answers) }

        var requests: [FetchRequest] { stored.withLock { $0 } }
        var now: ClockReading { time.withLock { $0 } }

        func set(_ seconds: Int64) { time.withLock { $0 = CredentialSample.clock(seconds) } }

        var surroundings: CredentialVault.Surroundings {
            CredentialVault.Surroundings(
                clock: { self.now },
                transport: { request, _, _ throws(FetchFault) in
                    self.stored.withLock { $0.append(request) }
                    return try self.answers.withLock { $0.count > 1 ? $0.removeFirst() : $0[0] }.get()
                })
        }
    }

    /// Keeps credentials, or says that it cannot.
    final class Archive: CredentialArchive {
        private let stored = Mutex<[StoredUpstreamCredential.Identity: StoredUpstreamCredential]>([:])
        let isBroken = Mutex(false)

        var kept: [StoredUpstreamCredential] { stored.withLock { Array($0.values) } }

        func find(
            _ identity: StoredUpstreamCredential.Identity,
            completion: @escaping @Sendable (Result<StoredUpstreamCredential?, ActionRefusal>) -> Void
        ) {
            if isBroken.withLock({ $0 }) { return completion(.failure(ActionRefusal(.storeUnavailable))) }
            completion(.success(stored.withLock { $0[identity] }))
        }

        func keep(
            _ credential: StoredUpstreamCredential,
            completion: @escaping @Sendable (Result<Void, ActionRefusal>) -> Void
        ) {
            if isBroken.withLock({ $0 }) { return completion(.failure(ActionRefusal(.storeUnavailable))) }
            stored.withLock { $0[credential.identity] = credential }
            completion(.success(()))
        }
    }

    private func vault(_ network: Network, _ archive: Archive? = nil, _ log: RecordingLog = RecordingLog()) -> CredentialVault {
        CredentialVault(archive: archive, log: log.log, surroundings: network.surroundings)
    }

    /// What becomes of a request: the key it shows, or why it shows none.
    private func ask(
        _ vault: CredentialVault, _ network: Network, _ token: VerifiedToken, spent: UpstreamCredential? = nil,
        rule: StoredCredentialRule? = nil
    ) throws -> (text: String, credential: UpstreamCredential?) {
        let done = DispatchSemaphore(value: 0)
        let outcome = Mutex<Result<UpstreamCredential, Denial>?>(nil)
        let answer = vault.credential(
            by: try rule ?? CredentialSample.rule(), for: token, spent: spent, now: network.now
        ) {
            { result in
                outcome.withLock { $0 = result }
                done.signal()
            }
        }
        switch answer {
        case .show(let credential): return (credential.key, credential)
        case .refuse(let denial): return (denial.reason, nil)
        case .nothingBetter: return ("nothing better", nil)
        case .wait:
            #expect(done.wait(timeout: .now() + 20) == .success)
            switch try #require(outcome.withLock { $0 }) {
            case .success(let credential): return (credential.key, credential)
            case .failure(let denial): return (denial.reason, nil)
            }
        }
    }

    @Test func `what a token brings is shown and kept`() throws {
        let (network, archive) = (Network(.failure(.timedOut)), Archive())
        let vault = vault(network, archive)
        #expect(try ask(vault, network, CredentialSample.token("one")).text == "one")
        #expect(try ask(vault, network, CredentialSample.token(nil)).text == "one")
        #expect(archive.kept.map(\.identity) == [.init(name: "app", issuer: "app", subject: "user")])
        #expect(network.requests.isEmpty)
    }

    @Test func `the newest sign-in wins, and the same age changes nothing`() throws {
        let network = Network(.failure(.timedOut))
        let vault = vault(network)
        #expect(try ask(vault, network, CredentialSample.token("one", issuedAt: 5)).text == "one")
        #expect(try ask(vault, network, CredentialSample.token("two", issuedAt: 5)).text == "one")
        #expect(try ask(vault, network, CredentialSample.token("three", issuedAt: 4)).text == "one")
        #expect(try ask(vault, network, CredentialSample.token("four", issuedAt: 6)).text == "four")
    }

    /// What a token says of its time: `iat` and `exp`, and whether its key can be refreshed.
    struct Shown: Sendable, CustomTestStringConvertible {
        var issuedAt: Int64?
        var endsAt: Int64
        var isRefreshable: Bool

        init(_ issuedAt: Int64?, _ endsAt: Int64, _ isRefreshable: Bool) {
            (self.issuedAt, self.endsAt, self.isRefreshable) = (issuedAt, endsAt, isRefreshable)
        }

        var testDescription: String { "iat \(issuedAt.map(String.init) ?? "-"), exp \(endsAt), \(isRefreshable ? "pair" : "key")" }
    }

    /// Every combination of what is kept and what is shown, each with `iat` and without, as a pair and as a key alone.
    static let sequences: [(kept: Shown, shown: Shown, isNewer: Bool)] = [true, false].flatMap { keptPair in
        [true, false].flatMap { shownPair in
            [
                ((5, 5000), (6, 4000), true), ((5, 5000), (5, 6000), false), ((5, 5000), (4, 6000), false),
                ((nil, 5000), (nil, 5001), true), ((nil, 5000), (nil, 5000), false), ((nil, 5000), (nil, 4999), false),
                ((nil, 5000), (5, 4000), true), ((5, 5000), (nil, 5001), true), ((5, 5000), (nil, 5000), false),
            ].map { (kept: (Int64?, Int64), shown: (Int64?, Int64), isNewer: Bool) in
                (Shown(kept.0, kept.1, keptPair), Shown(shown.0, shown.1, shownPair), isNewer)
            }
        }
    }

    @Test(arguments: sequences)
    func `a newer token replaces what is kept, for good, and no other one changes it`(
        kept: Shown, shown: Shown, isNewer: Bool
    ) throws {
        let (network, archive) = (Network(.success(CredentialSample.answer("refreshed"))), Archive())
        let vault = vault(network, archive)
        let first = try CredentialSample.token(
            "one", issuedAt: kept.issuedAt, endsAt: kept.endsAt, isRefreshable: kept.isRefreshable)
        let second = try CredentialSample.token(
            "two", issuedAt: shown.issuedAt, endsAt: shown.endsAt, isRefreshable: shown.isRefreshable)
        #expect(try ask(vault, network, first).text == "one")
        let outcome = isNewer ? "two" : "one"
        #expect(try ask(vault, network, second).text == outcome)
        #expect(try ask(vault, network, first).text == outcome)
        // After a restart too.
        let next = self.vault(network, archive)
        #expect(try ask(next, network, first).text == outcome)
        let last = try ask(next, network, second)
        #expect(last.text == outcome)
        // What it was refreshed to is not undone by either of the tokens, in this process and the next.
        guard isNewer ? shown.isRefreshable : kept.isRefreshable else { return }
        #expect(try ask(next, network, second, spent: last.credential).text == "refreshed")
        for vault in [next, self.vault(network, archive)] {
            for token in [first, second] { #expect(try ask(vault, network, token).text == "refreshed") }
        }
        #expect(network.requests.count == 1)
    }

    @Test func `issuer and subject tell users apart`() throws {
        let network = Network(.failure(.timedOut))
        let vault = vault(network)
        #expect(try ask(vault, network, CredentialSample.token("one")).text == "one")
        #expect(try ask(vault, network, CredentialSample.token(nil, subject: "other")).text == "upstream_credential_missing")
        #expect(try ask(vault, network, CredentialSample.token(nil, issuer: "other")).text == "upstream_credential_missing")
    }

    @Test func `it is refreshed ahead of its end, and kept before it is shown`() throws {
        let (network, archive) = (Network(.success(CredentialSample.answer("two"))), Archive())
        let vault = vault(network, archive)
        let token = try CredentialSample.token("one")
        network.set(939)
        #expect(try ask(vault, network, token).text == "one")
        network.set(940)
        #expect(try ask(vault, network, token).text == "two")
        #expect(network.requests.count == 1)
        let kept = try #require(archive.kept.first)
        #expect(kept.document == CredentialSample.answer("two"))
        #expect(kept.expiresAt == WallTime(seconds: 1_800_000_000 + 1940))
        // Another process, or this one after its end, goes on from there.
        let next = self.vault(network, archive)
        #expect(try ask(next, network, token).text == "two")
        #expect(network.requests.count == 1)
    }

    @Test func `an answer without a refresh token has the next refresh made with the same one, in the next process too`() throws {
        let bare = Array(#"{"apiKey":"two","expiresIn":"1000"}"#.utf8)
        let (network, archive) = (Network(.success(bare), .success(CredentialSample.answer("three"))), Archive())
        let token = try CredentialSample.token("one")
        network.set(940)
        #expect(try ask(vault(network, archive), network, token).text == "two")
        let kept = try #require(archive.kept.first?.document)
        #expect(String(decoding: kept, as: UTF8.self) == #"{"apiKey":"two","expiresIn":"1000","refreshToken":"r-one"}"#)
        network.set(1880)
        #expect(try ask(vault(network, archive), network, token).text == "three")
        #expect(network.requests.count == 2)
    }

    @Test func `of a short life three quarters are used`() throws {
        let network = Network(.success(CredentialSample.answer("two", lifetime: 8)))
        let vault = vault(network)
        let token = try CredentialSample.token("one")
        network.set(940)
        #expect(try ask(vault, network, token).text == "two")
        network.set(945)
        #expect(try ask(vault, network, token).text == "two")
        #expect(network.requests.count == 1)
        network.set(946)
        #expect(try ask(vault, network, token).text == "two")
        #expect(network.requests.count == 2)
    }

    @Test func `a failed refresh leaves the old key while it is good, and is not repeated before its time`() throws {
        let network = Network(.failure(.status(500)), .failure(.timedOut), .success(CredentialSample.answer("two")))
        let log = RecordingLog()
        let vault = vault(network, nil, log)
        let token = try CredentialSample.token("one")
        network.set(980)
        #expect(try ask(vault, network, token).text == "one")
        network.set(989)
        #expect(try ask(vault, network, token).text == "one")
        #expect(network.requests.count == 1)
        network.set(990)
        #expect(try ask(vault, network, token).text == "one")
        #expect(network.requests.count == 2)
        // The second failure in a row counts twice.
        network.set(1009)
        #expect(try ask(vault, network, token).text == "upstream_credential_refresh_failed")
        #expect(network.requests.count == 2)
        network.set(1010)
        #expect(try ask(vault, network, token).text == "two")
        #expect(vault.refreshes().map(\.failures) == [2])
        #expect(log.messages.count == 2 && log.messages[0].contains("http://app.test/refresh: status 500"))
    }

    @Test func `a refused key is refreshed once, and not again at once when the new one is refused too`() throws {
        let network = Network(.success(CredentialSample.answer("two")), .success(CredentialSample.answer("three")))
        let vault = vault(network)
        let token = try CredentialSample.token("one")
        let first = try ask(vault, network, token).credential
        let second = try ask(vault, network, token, spent: first)
        #expect(second.text == "two")
        // Who was answered 401 a little later finds the new one.
        #expect(try ask(vault, network, token, spent: first).text == "two")
        #expect(try ask(vault, network, token, spent: second.credential).text == "nothing better")
        network.set(10)
        #expect(try ask(vault, network, token, spent: second.credential).text == "three")
        #expect(network.requests.count == 2)
    }

    @Test func `a refused key whose refresh fails cannot be shown`() throws {
        let network = Network(.failure(.timedOut))
        let vault = vault(network)
        let token = try CredentialSample.token("one")
        let first = try ask(vault, network, token).credential
        #expect(try ask(vault, network, token, spent: first).text == "upstream_credential_refresh_failed")
        #expect(try ask(vault, network, token, spent: first).text == "nothing better")
        // Others may find that it is the one thing there is.
        #expect(try ask(vault, network, token).text == "one")
    }

    @Test func `a store that cannot be read refuses, one that cannot be written costs the refresh nothing`() throws {
        let (network, archive) = (Network(.success(CredentialSample.answer("two"))), Archive())
        let log = RecordingLog()
        let vault = vault(network, archive, log)
        let token = try CredentialSample.token("one")
        archive.isBroken.withLock { $0 = true }
        #expect(try ask(vault, network, token).text == "store_unavailable")
        archive.isBroken.withLock { $0 = false }
        #expect(try ask(vault, network, token).text == "one")
        archive.isBroken.withLock { $0 = true }
        network.set(990)
        #expect(try ask(vault, network, token).text == "two")
        #expect(log.messages.contains { $0.contains("cannot be written to the store") })
    }

    @Test func `without a refresh the claim alone counts`() throws {
        let network = Network(.failure(.timedOut))
        let vault = vault(network)
        let rule = try CredentialSample.rule(refreshes: false)
        #expect(try ask(vault, network, CredentialSample.token("one", issuedAt: 9), rule: rule).text == "one")
        #expect(try ask(vault, network, CredentialSample.token("two", issuedAt: 1), rule: rule).text == "two")
        #expect(try ask(vault, network, CredentialSample.token(nil), rule: rule).text == "upstream_credential_missing")
        network.set(1000)
        #expect(try ask(vault, network, CredentialSample.token("one"), rule: rule).text == "upstream_credential_missing")
    }

    @Test func `more users than there is room for push out those that were not seen for long`() throws {
        let (network, archive) = (Network(.failure(.timedOut)), Archive())
        let vault = CredentialVault(
            archive: archive, log: RecordingLog().log, countLimit: 64, surroundings: network.surroundings)
        #expect(try ask(vault, network, CredentialSample.token("first", subject: "first")).text == "first")
        for number in 1...500 {
            network.set(Int64(number))
            #expect(try ask(vault, network, CredentialSample.token("k", subject: "\(number)")).text == "k")
        }
        #expect(vault.count <= 64)
        // It was kept, and is found again.
        #expect(try ask(vault, network, CredentialSample.token(nil, subject: "first")).text == "first")
    }

    /// Documents of every shape that takes memory: long texts, many numbers, many members, deep lists.
    private static let bulky = [
        #""\#(String(repeating: "x", count: 12_000))""#, "[\(Array(repeating: "0", count: 4000).joined(separator: ","))]",
        "{\((0..<1000).map { #""m\#($0)":null"# }.joined(separator: ","))}",
        String(repeating: "[", count: 50) + String(repeating: "]", count: 50),
    ]

    @Test func `what credentials take of memory is bounded, whatever stands in them`() throws {
        let (network, archive) = (Network(.failure(.timedOut)), Archive())
        let limit = 4_194_304
        let vault = CredentialVault(
            archive: archive, log: RecordingLog().log, byteLimit: limit, surroundings: network.surroundings)
        let largest = 200_000
        for number in 0..<200 {
            network.set(Int64(number))
            let data = #","data":{"apiKey":"k","more":\#(Self.bulky[number % Self.bulky.count])}"#
            let token = try CredentialSample.token(nil, subject: "\(number)", more: data)
            #expect(try ask(vault, network, token).text == "k")
            #expect(vault.weight <= limit + largest)
        }
        #expect(vault.count < 200 && vault.count > 16)
        #expect(archive.kept.count == 200)
        #expect(try ask(vault, network, CredentialSample.token(nil, subject: "0")).text == "k")
    }

    @Test func `one that grows with a refresh pushes out others`() throws {
        let answer = #"{"apiKey":"next","refreshToken":"r","expiresIn":1000,"more":"\#(String(repeating: "x", count: 50_000))"}"#
        let network = Network(.success(Array(answer.utf8)))
        let limit = 16 * 65_536
        let vault = CredentialVault(
            archive: nil, log: RecordingLog().log, byteLimit: limit, surroundings: network.surroundings)
        for number in 0..<300 { _ = try ask(vault, network, CredentialSample.token("k", subject: "\(number)")) }
        #expect(vault.count == 300)
        network.set(950)
        for number in 0..<300 {
            let token = try CredentialSample.token("k", subject: "\(number)")
            #expect(try ask(vault, network, token).text == "next")
            #expect(vault.weight <= limit + 65_536)
        }
        #expect(vault.count < 64)
    }

    @Test func `what is in use is not pushed out, and who finds no room is refused`() throws {
        let network = Network(.failure(.timedOut))
        let silent = Silence()
        let vault = CredentialVault(
            archive: silent, log: RecordingLog().log, countLimit: 16, surroundings: network.surroundings)
        var refused = 0
        for number in 0..<64 {
            let token = try CredentialSample.token("k", subject: "\(number)")
            let answer = vault.credential(by: try CredentialSample.rule(), for: token, spent: nil, now: network.now) { { _ in } }
            switch answer {
            case .wait: continue
            case .refuse(let denial):
                #expect(denial == .overloaded)
                refused += 1
            case .show, .nothingBetter: Issue.record("\(answer)")
            }
        }
        #expect(vault.count <= 16 && refused >= 48)
    }

    /// A store that never answers.
    private struct Silence: CredentialArchive {
        func find(
            _ identity: StoredUpstreamCredential.Identity,
            completion: @escaping @Sendable (Result<StoredUpstreamCredential?, ActionRefusal>) -> Void
        ) {}

        func keep(
            _ credential: StoredUpstreamCredential,
            completion: @escaping @Sendable (Result<Void, ActionRefusal>) -> Void
        ) {}
    }
}
