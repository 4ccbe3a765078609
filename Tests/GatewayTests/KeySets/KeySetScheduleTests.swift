import Core
import Crypto
import Dispatch
import Policy
import Synchronization
import Testing

@testable import Gateway

/// The fetcher's bookkeeping with a clock and a network of the test's own.
@Suite struct KeySetScheduleTests {
    typealias Samples = KeySetFetcherTests

    let transport = ScriptedTransport()
    let recording = RecordingLog()
    let fetcher: KeySetFetcher

    init() {
        fetcher = KeySetFetcher(
            log: recording.log, cryptography: OpenSSLCryptography(), surroundings: transport.surroundings)
    }

    /// A semaphore signalled when the fetch under way, or one begun now, is over.
    func join(_ cell: KeySetCell) -> DispatchSemaphore {
        let done = DispatchSemaphore(value: 0)
        fetcher.refetch(cell) { done.signal() }
        return done
    }

    static func isSignalled(_ semaphore: DispatchSemaphore) -> Bool { semaphore.wait(timeout: .now() + 10) == .success }

    /// Adopts one key set and lets its first fetch bring `document`.
    func adopted(
        _ set: CompiledKeySet, _ document: String = Samples.document(Samples.ec),
        _ lifetime: FetchedDocument.Lifetime = .unstated
    ) throws {
        fetcher.adopt([set])
        try #require(transport.waitForFetch())
        let done = join(set.cell)
        transport.end(document, lifetime)
        try #require(Self.isSignalled(done))
    }

    func kids(_ cell: KeySetCell) -> [String] {
        cell.current(now: transport.now)?.set.keys.compactMap(\.kid) ?? []
    }

    func status(_ cell: KeySetCell) -> KeySetStatus { cell.status(now: transport.now) }

    @Test(arguments: [
        (FetchedDocument.Lifetime.unstated, 600 as Int64), (.none, 60), (.lasts(.seconds(1)), 60),
        (.lasts(.seconds(300)), 300), (.lasts(.seconds(1 << 31)), 86_400),
    ])
    func `keys are fetched again at four fifths of their time`(
        lifetime: FetchedDocument.Lifetime, seconds: Int64
    ) throws {
        let set = Samples.keySet("http://issuer/")
        try adopted(set, Samples.document(Samples.ec), lifetime)
        #expect(status(set.cell).freshFor == .seconds(seconds))
        let due = transport.now.advanced(by: .seconds(seconds) / 5 * 4)
        #expect(fetcher.catchUp() == due)
        transport.advance(by: due.since(transport.now) - 1)
        #expect(fetcher.catchUp() == due)
        transport.advance(by: 1)
        fetcher.catchUp()
        #expect(transport.waitForFetch())
        let done = join(set.cell)
        transport.end(Samples.document(Samples.ec), lifetime)
        #expect(Self.isSignalled(done))
        #expect(transport.urls.count == 2)
        #expect(status(set.cell).generation == 1)
        #expect(fetcher.catchUp() == transport.now.advanced(by: .seconds(seconds) / 5 * 4))
    }

    @Test func `failures back off, keep the keys, and one good fetch forgets them`() throws {
        let set = Samples.keySet("http://issuer/", cooldown: .seconds(30))
        try adopted(set)
        transport.advance(by: .seconds(480))
        for (failure, seconds) in ([30, 60, 120, 240, 300, 300] as [Int64]).enumerated() {
            fetcher.catchUp()
            try #require(transport.waitForFetch())
            let done = join(set.cell)
            transport.end(.failure(.status(503)))
            try #require(Self.isSignalled(done))
            #expect(status(set.cell).consecutiveFailures == failure + 1)
            #expect(status(set.cell).lastError == "status 503")
            #expect(status(set.cell).isUsable)
            #expect(fetcher.catchUp() == transport.now.advanced(by: .seconds(seconds)))
            transport.advance(by: .seconds(seconds))
        }
        fetcher.catchUp()
        try #require(transport.waitForFetch())
        let done = join(set.cell)
        transport.end(Samples.document(Samples.ec))
        try #require(Self.isSignalled(done))
        #expect(status(set.cell).consecutiveFailures == 0)
        #expect(status(set.cell).lastError == nil)
        #expect(status(set.cell).generation == 1)
        #expect(fetcher.catchUp() == transport.now.advanced(by: .seconds(480)))
    }

    @Test func `a fetch that takes too long is given up, and what it brings then is not taken`() throws {
        var set = Samples.keySet("http://issuer/", cooldown: .seconds(30))
        set.configuration.fetchTimeout = .seconds(2)
        fetcher.adopt([set])
        try #require(transport.waitForFetch())
        let done = join(set.cell)
        #expect(fetcher.catchUp() == transport.now.advanced(by: .seconds(2)))
        transport.advance(by: .seconds(2))
        fetcher.catchUp()
        #expect(Self.isSignalled(done))
        #expect(status(set.cell).lastError == FetchFault.timedOut.message)
        // The resolver may hold the worker for long; no second one is set beside it.
        transport.advance(by: .seconds(30))
        fetcher.catchUp()
        #expect(transport.urls.count == 1)
        // Nor does anybody wait for it.
        #expect(Self.isSignalled(join(set.cell)))
        transport.end(Samples.document(Samples.ed))
        try #require(transport.waitForFetch())
        let second = join(set.cell)
        #expect(kids(set.cell) == [])
        transport.end(Samples.document(Samples.ec))
        #expect(Self.isSignalled(second))
        #expect(kids(set.cell) == ["ec"])
    }

    @Test func `who waits is let go after the longest wait although the fetch goes on`() throws {
        var set = Samples.keySet("http://issuer/")
        set.configuration.fetchTimeout = .seconds(60)
        fetcher.adopt([set])
        try #require(transport.waitForFetch())
        let early = join(set.cell)
        #expect(fetcher.catchUp() == transport.now.advanced(by: FixedBounds.waitTimeout))
        transport.advance(by: .seconds(1))
        let late = join(set.cell)
        fetcher.catchUp()
        transport.advance(by: FixedBounds.waitTimeout - .seconds(1))
        #expect(fetcher.catchUp() == transport.now.advanced(by: .seconds(1)))
        #expect(Self.isSignalled(early))
        #expect(status(set.cell).consecutiveFailures == 0)
        transport.end(Samples.document(Samples.ec))
        #expect(Self.isSignalled(late))
        #expect(kids(set.cell) == ["ec"])
    }

    @Test func `a thousand requests with an unknown key id cause one fetch, and each is called once`() throws {
        let set = Samples.keySet("http://issuer/", cooldown: .seconds(30))
        try adopted(set)
        let calls = Atomic(0)
        let done = DispatchGroup()
        for _ in 0..<1000 {
            #expect(set.cell.mayRefetch(forUnknownKid: "ed", now: transport.now))
            done.enter()
            fetcher.refetch(set.cell) {
                calls.add(1, ordering: .relaxed)
                done.leave()
            }
        }
        try #require(transport.waitForFetch())
        fetcher.catchUp()
        transport.end(Samples.document(Samples.ec, Samples.ed))
        #expect(done.wait(timeout: .now() + 10) == .success)
        #expect(calls.load(ordering: .relaxed) == 1000)
        #expect(transport.urls.count == 2)
        #expect(kids(set.cell) == ["ec", "ed"])
        #expect(!set.cell.mayRefetch(forUnknownKid: "other", now: transport.now))
    }

    @Test func `a failed fetch is not repeated by requests before the cool-down is over`() throws {
        let set = Samples.keySet("http://issuer/", cooldown: .seconds(30))
        fetcher.adopt([set])
        try #require(transport.waitForFetch())
        #expect(set.cell.mayRefetch(forUnknownKid: "ec", now: transport.now))
        let done = join(set.cell)
        transport.end(.failure(.status(500)))
        try #require(Self.isSignalled(done))
        for _ in 0..<100 { #expect(!set.cell.mayRefetch(forUnknownKid: "ec", now: transport.now)) }
        transport.advance(by: .seconds(30))
        #expect(set.cell.mayRefetch(forUnknownKid: "ec", now: transport.now))
    }

    @Test func `a reload keeps the schedule of what it does not change`() throws {
        let set = Samples.keySet("http://issuer/")
        try adopted(set)
        let due = fetcher.catchUp()
        transport.advance(by: .seconds(100))
        var same = Samples.keySet("http://issuer/", cell: set.cell)
        same.configuration.position = SourcePosition(line: 7, column: 7)
        same.configuration.staleLimit = .seconds(1)
        fetcher.adopt([same])
        #expect(fetcher.catchUp() == due)
        #expect(transport.urls.count == 1)
    }

    @Test func `a reload that changes the times fetches at once`() throws {
        let set = Samples.keySet("http://issuer/")
        try adopted(set)
        var other = Samples.keySet("http://issuer/", cell: set.cell)
        other.configuration.refresh = .seconds(100)
        fetcher.adopt([other])
        try #require(transport.waitForFetch())
        let done = join(set.cell)
        transport.end(Samples.document(Samples.ec))
        #expect(Self.isSignalled(done))
        #expect(fetcher.catchUp() == transport.now.advanced(by: .seconds(80)))
    }

    @Test func `a reload that drops a key set lets its waiters go and takes nothing more`() throws {
        let set = Samples.keySet("http://issuer/")
        fetcher.adopt([set])
        try #require(transport.waitForFetch())
        let done = join(set.cell)
        fetcher.adopt([])
        #expect(Self.isSignalled(done))
        #expect(fetcher.catchUp() == .distantFuture)
        #expect(fetcher.status().isEmpty)
        #expect(Self.isSignalled(join(set.cell)))
        // The same cell comes back while the old fetch still runs: only the new one counts.
        fetcher.adopt([Samples.keySet("http://new/", cell: set.cell)])
        try #require(transport.waitForFetch())
        let second = join(set.cell)
        transport.end(Samples.document(Samples.ec))
        transport.end(Samples.document(Samples.ec))
        #expect(Self.isSignalled(second))
        #expect(status(set.cell).generation == 1)
        #expect(transport.urls == ["http://issuer/", "http://new/"])
    }

    @Test func `who waits for a cell waits for the URL that a reload names`() throws {
        let set = Samples.keySet("http://old/")
        fetcher.adopt([set])
        try #require(transport.waitForFetch())
        let done = join(set.cell)
        fetcher.adopt([Samples.keySet("http://new/", cell: set.cell)])
        try #require(transport.waitForFetch())
        transport.end(.failure(.status(500)))
        transport.end(.failure(.status(500)))
        #expect(Self.isSignalled(done))
        // Two fetches failed, and that of the old URL concerns nobody.
        #expect(status(set.cell).consecutiveFailures == 1)
    }

    @Test func `no more fetches run at one time than the bound allows, and all have their turn`() throws {
        let count = FixedBounds.keySetFetches + 3
        let sets = (0..<count).map { Samples.keySet("http://issuer\($0)/", name: "issuer\($0)") }
        fetcher.adopt(sets)
        let ends = sets.map { join($0.cell) }
        for _ in 0..<FixedBounds.keySetFetches { try #require(transport.waitForFetch()) }
        for _ in 0..<3 {
            transport.end(Samples.document(Samples.ec))
            try #require(transport.waitForFetch())
        }
        for _ in 0..<FixedBounds.keySetFetches { transport.end(Samples.document(Samples.ec)) }
        #expect(ends.allSatisfy(Self.isSignalled))
        #expect(sets.allSatisfy { status($0.cell).isUsable })
        #expect(transport.mostRunning == FixedBounds.keySetFetches)
        #expect(transport.urls.count == count)
    }

    @Test func `after stop nothing is fetched and nobody waits`() throws {
        let set = Samples.keySet("http://issuer/")
        fetcher.adopt([set])
        try #require(transport.waitForFetch())
        let done = join(set.cell)
        fetcher.stop()
        #expect(Self.isSignalled(done))
        #expect(Self.isSignalled(join(set.cell)))
        fetcher.adopt([set])
        #expect(fetcher.catchUp() == .distantFuture)
        transport.end(Samples.document(Samples.ec))
        #expect(transport.urls.count == 1)
    }

    @Test func `an operator may ask for a fetch of what is fetched`() throws {
        let set = Samples.keySet("http://issuer/")
        try adopted(set)
        var local = Samples.keySet("http://issuer/", name: "local")
        local.configuration.source = .inline(json: "", position: SourcePosition(line: 1, column: 1))
        fetcher.adopt([set, local])
        #expect(!fetcher.refresh(named: "local"))
        #expect(!fetcher.refresh(named: "nobody"))
        #expect(fetcher.refresh(named: "issuer"))
        try #require(transport.waitForFetch())
        let done = join(set.cell)
        transport.end(Samples.document(Samples.ed))
        #expect(Self.isSignalled(done))
        #expect(kids(set.cell) == ["ed"])
    }

    @Test func `local keys are in force when adopt returns`() throws {
        let json = Array(Samples.document(Samples.ec).utf8)
        let keys = try KeySet.parse(json.span, isLocal: true, cryptography: OpenSSLCryptography())
        let position = SourcePosition(line: 1, column: 1)
        let set = CompiledKeySet(
            cell: KeySetCell(name: "local", isRemote: false),
            configuration: KeySetConfiguration(source: .inline(json: "", position: position), position: position),
            local: keys)
        fetcher.adopt([set])
        #expect(kids(set.cell) == ["ec"])
        #expect(fetcher.status().map(\.freshFor) == [nil])
        #expect(Self.isSignalled(join(set.cell)))
        #expect(fetcher.catchUp() == .distantFuture)
    }

    @Test(arguments: [FetchFault.addressInvalid])
    func `what cannot help is not tried again`(fault: FetchFault) throws {
        let set = Samples.keySet("https://issuer/jwks?key=secret")
        fetcher.adopt([set])
        try #require(transport.waitForFetch())
        let done = join(set.cell)
        transport.end(.failure(fault))
        #expect(Self.isSignalled(done))
        #expect(fetcher.catchUp() == .distantFuture)
        let line = try #require(recording.messages.last)
        #expect(line.contains("https://issuer/jwks: "))
        #expect(!line.contains("secret"))
    }

    @Test func `what an issuer writes makes no long or broken line`() throws {
        let set = Samples.keySet("http://issuer/")
        fetcher.adopt([set])
        try #require(transport.waitForFetch())
        let done = join(set.cell)
        transport.end(.failure(.rejected("\n\u{1B}[31m" + String(repeating: "x", count: 100_000))))
        #expect(Self.isSignalled(done))
        let message = try #require(status(set.cell).lastError)
        #expect(message.count <= 200)
        #expect(message.unicodeScalars.allSatisfy { $0.value >= 0x20 })
    }
}
