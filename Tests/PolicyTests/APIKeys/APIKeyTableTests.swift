import Core
import Testing

@testable import Policy

struct APIKeyTableTests {
    @Test func `an empty table knows nobody`() throws {
        let table = try APIKeyTable.Builder(seed: sampleSeed).build()
        #expect(table.lookup(digest(1)) == nil)
        #expect(table.lookup(Digest256(0, 0, 0, 0)) == nil)
        #expect(table.count == 0)
    }

    @Test func `each of many keys is found with its own record, and no other digest is`() throws {
        var builder = APIKeyTable.Builder()
        for index in 0..<20_000 {
            var record = record("key-\(index)", digest(index), subject: index % 3 == 0 ? nil : "user-\(index)@acme")
            record.scopes = ["scope:\(index % 7)"]
            try builder.add(record)
        }
        let table = try builder.build()
        #expect(table.count == 20_000)
        for index in 0..<20_000 {
            let found = try #require(table.lookup(digest(index)))
            #expect(table.id(of: found) == "key-\(index)")
            #expect(table.subject(of: found) == (index % 3 == 0 ? "key-\(index)" : "user-\(index)@acme"))
            #expect(table.scopes(of: found).strings == ["scope:\(index % 7)"])
            #expect(table.fault(of: found, now: WallTime(seconds: 0)) == nil)
        }
        for index in 20_000..<40_000 { #expect(table.lookup(digest(index)) == nil) }
        // A million such keys: at most 100 bytes each, id and subject included.
        #expect(table.storageBytes <= 100 * 20_000)
    }

    @Test func `a digest that differs in one bit is unknown`() throws {
        var builder = APIKeyTable.Builder(seed: sampleSeed)
        let known = digest(1)
        try builder.add(record("a", known))
        let table = try builder.build()
        #expect(table.lookup(known) != nil)
        for bit in 0..<64 {
            #expect(table.lookup(Digest256(known.a ^ 1 << bit, known.b, known.c, known.d)) == nil)
            #expect(table.lookup(Digest256(known.a, known.b ^ 1 << bit, known.c, known.d)) == nil)
            #expect(table.lookup(Digest256(known.a, known.b, known.c ^ 1 << bit, known.d)) == nil)
            #expect(table.lookup(Digest256(known.a, known.b, known.c, known.d ^ 1 << bit)) == nil)
        }
    }

    @Test func `every secret of a record opens it, in its own time`() throws {
        var rotated = record("a")
        rotated.secrets = [
            .init(digest: digest(1), notBefore: nil, expiresAt: WallTime(seconds: 200)),
            .init(digest: digest(2), notBefore: WallTime(seconds: 100), expiresAt: nil),
        ]
        var builder = APIKeyTable.Builder(seed: sampleSeed)
        try builder.add(rotated)
        let table = try builder.build()
        let old = try #require(table.lookup(digest(1)))
        let new = try #require(table.lookup(digest(2)))
        #expect(table.id(of: old) == "a" && table.id(of: new) == "a")
        #expect(table.fault(of: old, now: WallTime(nanoseconds: .seconds(200) - 1)) == nil)
        #expect(table.fault(of: old, now: WallTime(seconds: 200)) == .expired)
        #expect(table.fault(of: new, now: WallTime(nanoseconds: .seconds(100) - 1)) == .notYetValid)
        #expect(table.fault(of: new, now: WallTime(seconds: 100)) == nil)
        #expect(table.fault(of: new, now: .distantFuture) == nil)
    }

    @Test(arguments: [
        (WallTime(nanoseconds: 1_500_000_000), WallTime(nanoseconds: 5_500_000_000), Int64(2), Int64(5)),
        (WallTime(seconds: 2), WallTime(seconds: 5), 2, 5),
    ])
    func `times within a second never lengthen validity`(from: WallTime, to: WallTime, first: Int64, end: Int64) throws
    {
        var key = record("a")
        key.secrets = [.init(digest: digest(1), notBefore: from, expiresAt: to)]
        var builder = APIKeyTable.Builder(seed: sampleSeed)
        try builder.add(key)
        let table = try builder.build()
        let found = try #require(table.lookup(digest(1)))
        #expect(table.fault(of: found, now: WallTime(nanoseconds: .seconds(first) - 1)) == .notYetValid)
        #expect(table.fault(of: found, now: WallTime(seconds: first)) == nil)
        #expect(table.fault(of: found, now: WallTime(nanoseconds: .seconds(end) - 1)) == nil)
        #expect(table.fault(of: found, now: WallTime(seconds: end)) == .expired)
    }

    @Test(arguments: [
        (WallTime?.none, WallTime?(WallTime(seconds: -5)), APIKeyFault?.some(.expired)),
        (nil, WallTime.distantPast, .expired), (nil, .distantFuture, nil), (WallTime.distantPast, nil, nil),
        (WallTime(seconds: -5), nil, nil), (nil, WallTime(seconds: 5_000_000_000), nil),
        (WallTime(seconds: 5_000_000_000), nil, .notYetValid), (WallTime.distantFuture, nil, .notYetValid),
    ])
    func `times far from today mean what they say today`(
        notBefore: WallTime?, expiresAt: WallTime?, fault: APIKeyFault?
    ) throws {
        var key = record("a")
        key.secrets = [.init(digest: digest(1), notBefore: notBefore, expiresAt: expiresAt)]
        var builder = APIKeyTable.Builder(seed: sampleSeed)
        try builder.add(key)
        let table = try builder.build()
        let found = try #require(table.lookup(digest(1)))
        #expect(table.fault(of: found, now: WallTime(rfc3339: "2026-11-21T00:00:00Z")!) == fault)
    }

    @Test func `a disabled key is disabled, expired or not`() throws {
        var key = record("a")
        key.secrets = [.init(digest: digest(1), notBefore: nil, expiresAt: WallTime(seconds: 10))]
        key.isEnabled = false
        var builder = APIKeyTable.Builder(seed: sampleSeed)
        try builder.add(key)
        let table = try builder.build()
        let found = try #require(table.lookup(digest(1)))
        #expect(table.fault(of: found, now: WallTime(seconds: 5)) == .disabled)
        #expect(table.fault(of: found, now: WallTime(seconds: 50)) == .disabled)
    }

    @Test func `records share scopes, addresses and limits`() throws {
        var builder = APIKeyTable.Builder(seed: sampleSeed)
        for index in 0..<4 {
            var key = record("key \(index)", digest(index))
            key.scopes = ["a", "b"]
            if index > 0 { key.allowedAddresses = [try CIDRBlock.parse("10.0.0.0/8")] }
            if index > 1 { key.limits = [Located("gold", at: SourcePosition(line: index, column: 1), path: "")] }
            try builder.add(key)
        }
        let table = try builder.build()
        let found = try (0..<4).map { try #require(table.lookup(digest($0))) }
        #expect(table.scopes(of: found[0]) === table.scopes(of: found[3]))
        #expect(table.addresses(of: found[0]) == nil)
        #expect(table.addresses(of: found[1])?.contains(IPAddress(v4: 0x0A01_0203)) == true)
        #expect(table.addresses(of: found[1])?.contains(IPAddress(v4: 0x0B01_0203)) == false)
        #expect(found.map(table.limitsIndex) == [nil, nil, 0, 0])
        #expect(table.limitLists.map(\.names) == [["gold"]])
        #expect(table.limitLists.map(\.firstID) == ["key 2"])
    }

    @Test func `two records with one digest are refused, both named`() throws {
        var builder = APIKeyTable.Builder(seed: sampleSeed)
        try builder.add(record("first", digest(1)))
        try builder.add(record("between", digest(2)))
        try builder.add(record("second", digest(3), digest(1)))
        #expect(throws: APIKeyTableError.duplicateDigest("first", "second")) { try builder.build() }
    }

    @Test func `one record with a digest twice is refused`() throws {
        var builder = APIKeyTable.Builder(seed: sampleSeed)
        try builder.add(record("only", digest(1), digest(1)))
        #expect(throws: APIKeyTableError.duplicateDigest("only", "only")) { try builder.build() }
    }

    @Test func `two records with one id are refused`() throws {
        var builder = APIKeyTable.Builder(seed: sampleSeed)
        for index in 0..<100 { try builder.add(record("key \(index)", digest(index))) }
        #expect(throws: APIKeyTableError.duplicateID("key 42")) { try builder.add(record("key 42", digest(100))) }
    }

    @Test func `records out of bounds are refused`() throws {
        var builder = APIKeyTable.Builder(seed: sampleSeed)
        #expect(throws: APIKeyTableError.malformedRecord("a")) { try builder.add(record("a")) }
        #expect(throws: APIKeyTableError.malformedRecord("")) { try builder.add(record("", digest(1))) }
        let long = String(repeating: "x", count: 1025)
        #expect(throws: APIKeyTableError.malformedRecord("a")) {
            try builder.add(record("a", digest(1), subject: long))
        }
    }
}
