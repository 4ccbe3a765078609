import Core
import Testing

@testable import Policy

struct KeysFileTests {
    private static let sample = """
        {"id":"plain","sha256":"\(digest(1).hex)"}
        {"id":"full","sha256":"\(digest(2).hex)","subject":"someone","scopes":["a","b"],"allow_ips":["10.0.0.0/8"],\
        "not_before":"2026-01-01T00:00:00Z","expires_at":"2027-01-01T00:00:00Z","limits":["gold"],"enabled":true}

          \t\r
        { "enabled" : false , "scopes" : [ "a" , "b" ] , "id" : "spaced" , "sha256" : "\(digest(3).hex)" } \r
        {"id":"escap\\u0065d","sha256":"\(digest(4).hex)","subject":"caf\\u00e9 ☕"}
        {"id":"rotated","secrets":[{"sha256":"\(digest(5).hex)"},{"sha256":"\(digest(6).hex)"}]}
        {"id":"again","sha256":"\(digest(7).hex)","subject":"someone","scopes":["a","b"],"allow_ips":["10.0.0.0/8"],\
        "not_before":"2026-01-01T00:00:00Z","expires_at":"2027-01-01T00:00:00Z","limits":["gold"],"enabled":true}
        {"id":"last","sha256":"\(digest(8).hex)","scopes":["]x"],"enabled":true}
        """

    private func check(_ table: APIKeyTable) throws {
        let found = try (1...8).map { try #require(table.lookup(digest($0))) }
        #expect(
            found.map(table.id) == ["plain", "full", "spaced", "escaped", "rotated", "rotated", "again", "last"])
        #expect(
            found.map(table.subject) == [
                "plain", "someone", "spaced", "café ☕", "rotated", "rotated", "someone", "last",
            ])
        let today = try #require(WallTime(rfc3339: "2026-11-21T00:00:00Z"))
        #expect(
            found.map { table.fault(of: $0, now: today) == .disabled } == [
                false, false, true, false, false, false, false, false,
            ])
        #expect(
            found.map { table.scopes(of: $0).strings } == [
                [], ["a", "b"], ["a", "b"], [], [], [], ["a", "b"], ["]x"],
            ])
        #expect(
            found.map { table.addresses(of: $0) == nil } == [
                true, false, true, true, true, true, false, true,
            ])
        #expect(found.map(table.limitsIndex) == [nil, 0, nil, nil, nil, nil, 0, nil])
        for index in [1, 6] {
            #expect(table.fault(of: found[index], now: WallTime(seconds: 0)) == .notYetValid)
            #expect(table.fault(of: found[index], now: .distantFuture) == .expired)
        }
        #expect(table.count == 7)
    }

    @Test func `plain, spaced, escaped and empty lines are read`() throws {
        try check(try readKeysFile(Self.sample))
        try check(try readKeysFile(Self.sample + "\n"))
    }

    @Test(arguments: [1, 2, 3, 7, 64, 200])
    func `pieces of any size give the same table`(pieceLength: Int) throws {
        try check(try readKeysFile(Self.sample, pieceLength: pieceLength))
    }

    @Test func `a file split anywhere gives the same table`() throws {
        let bytes = Array(Self.sample.utf8)
        for split in stride(from: 0, through: bytes.count, by: 3) {
            var builder = APIKeyTable.Builder(seed: sampleSeed)
            var file = KeysFile(digestMember: .sha256)
            try file.feed(bytes.span.extracting(0..<split), into: &builder)
            try file.feed(bytes.span.extracting(split..<bytes.count), into: &builder)
            try file.finish(into: &builder)
            let table = try builder.build()
            #expect(table.count == 7)
            #expect(table.lookup(digest(8)) != nil)
        }
    }

    @Test(arguments: [
        ("{\"id\":\"b\"}", DiagnosticCode.memberMissing, 1), ("{\"id\":\"b\",", .jsonInvalid, 11),
        ("[]", .typeWrong, 1),
        ("{\"id\":\"a\",\"sha256\":\"HEX\"}", .keyDuplicate, 1),
        ("{\"id\":\"b\",\"sha256\":\"HEX\",\"id\":\"c\"}", .jsonInvalid, 87),
        ("{\"id\":\"b\",\"sha256\":\"HEX\",\"key\":\"s3cret\"}", .secretLiteral, 87),
        ("{\"id\":\"b\",\"sha256\":\"HEX\",\"scopez\":[]}", .memberUnknown, 87),
        ("{\"id\":\"b\",\"sha256\":\"HEX\",\"scopes\":[\"a\",]}", .jsonInvalid, 101),
        ("{\"id\":\"b\",\"sha256\":\"HEX\"} x", .jsonInvalid, 88),
        ("{\"id\":\"b\",\"sha256\":\"HEX\"}{", .jsonInvalid, 87),
        ("{\"id\":\"b\",\"sha256\":\"HEX\",\"enabled\":TRUE}", .jsonInvalid, 97),
        ("{\"id\":\"b\",\"sha256\":\"HEX\",\"Enabled\":true}", .memberUnknown, 87),
        ("{\"id\":\"b\",\"hmac_sha256\":\"HEX\"}", .membersExclusive, 25), ("\u{FEFF}", .jsonInvalid, 1),
        ("{\"id\":\"b\u{7F}\",\"sha256\":\"HEX\"}", .nameInvalid, 7),
        ("{\"id\":\"b\",\"sha256\":\"HEX\",\"subject\":\"\"}", .valueOutOfRange, 97),
        ("{\"id\":\"b\",\"sha256\":\"HEX\",\"allow_ips\":[]}", .valueEmpty, 99),
    ])
    func `the line of an error is named`(line: String, code: DiagnosticCode, column: Int) throws {
        let good = "{\"id\":\"a\",\"sha256\":\"\(digest(1).hex)\",\"scopes\":[\"a\"]}\n\n"
        let text = good + line.replacing("HEX", with: digest(2).hex) + "\n"
        for pieceLength in [Int.max, 5] {
            do {
                _ = try readKeysFile(text, pieceLength: pieceLength)
                Issue.record("was read")
            } catch let error as APIKeyRecordError {
                #expect(error.code == code)
                #expect(error.position == SourcePosition(line: 3, column: column))
                #expect(!error.message.contains("s3cret"))
            }
        }
    }

    @Test func `a line beyond the bound is refused, ended or not`() throws {
        let long = "{\"id\":\"a\",\"sha256\":\"\(digest(1).hex)\"" + String(repeating: " ", count: 70_000) + "}"
        for text in [long, long + "\n"] {
            for pieceLength in [Int.max, 1_000] {
                #expect(throws: APIKeyRecordError.self) { try readKeysFile(text, pieceLength: pieceLength) }
            }
        }
    }

    @Test func `digests with a pepper have their own member`() throws {
        let line = "{\"id\":\"a\",\"hmac_sha256\":\"\(digest(1).hex)\"}"
        #expect(try readKeysFile(line, member: .hmacSHA256).lookup(digest(1)) != nil)
        #expect(throws: APIKeyRecordError.self) { try readKeysFile(line, member: .sha256) }
    }

    @Test(arguments: 1...30)
    func `the quick reading accepts nothing that the strict one refuses, and reads it the same`(seed: UInt64) throws {
        var generator = SeededGenerator(state: seed)
        let hex = digest(9).hex
        let pieces = [
            "\"id\":\"x\"", "\"id\":\"y\"", "\"sha256\":\"\(hex)\"", "\"subject\":\"s\"", "\"subject\":\"\"",
            "\"scopes\":[\"a\"]", "\"scopes\":[\"a\",\"a\"]", "\"scopes\":[]", "\"allow_ips\":[\"::1\"]",
            "\"enabled\":false",
            "\"enabled\":null", "\"limits\":[\"g\"]", "\"limits\":[\"g\"", "\"expires_at\":\"2027-01-01T00:00:00Z\"",
            "\"not_before\":\"2028-01-01T00:00:00Z\"", "\"not_before\":\"2026-01-01T00:00:00Z\"", "\"ID\":\"x\"", "",
            " ",
        ]
        let parser = APIKeyRecordParser(digestMember: .sha256)
        var accepted = 0
        for _ in 0..<300 {
            let members = (0..<Int.random(in: 2...5, using: &generator)).map { _ in
                pieces.randomElement(using: &generator) ?? ""
            }
            var text = Array(
                "{\((["\"id\":\"i\"", "\"sha256\":\"\(hex)\""] + members.dropFirst(2)).joined(separator: ","))}".utf8)
            if Bool.random(using: &generator) { text = Array("{\(members.joined(separator: ","))}".utf8) }
            if Int.random(in: 0..<4, using: &generator) == 0 {
                text[Int.random(in: 0..<text.count, using: &generator)] = .random(in: 0x09...0x7F, using: &generator)
            }
            var line = KeysFileLine(digestMember: .sha256)
            guard line.read(text.span) else { continue }
            // Lists are only compared with those the strict reader accepted, so a faulty list may still be plain.
            guard let node = try? JSONNode.parse(text.span) else {
                #expect(!line.lists.filter { $0 == UInt8(ascii: "[") }.isEmpty)
                continue
            }
            var errors: [APIKeyRecordError] = []
            guard let record = parser.parse(node, path: "", errors: &errors) else {
                #expect(
                    errors.allSatisfy {
                        $0.path.contains("scopes") || $0.path.contains("allow_ips") || $0.path.contains("limits")
                    })
                continue
            }
            accepted += 1
            #expect(record.id == String(decoding: text[line.id], as: UTF8.self))
            #expect(
                record.subject == String(decoding: text[line.subject.isEmpty ? line.id : line.subject], as: UTF8.self))
            #expect(record.isEnabled == line.isEnabled)
            #expect(
                record.secrets == [.init(digest: line.digest, notBefore: line.notBefore, expiresAt: line.expiresAt)])
        }
        #expect(accepted > 0)
    }

    @Test func `twenty thousand lines with few distinct lists make one compact table`() throws {
        var text = ""
        for index in 0..<20_000 {
            text += "{\"id\":\"key-\(index)\",\"sha256\":\"\(digest(index).hex)\",\"subject\":\"user-\(index)@a\","
            text += "\"scopes\":[\"devices:read\",\"s\(index % 3)\"],\"expires_at\":\"2027-01-01T00:00:00Z\"}\n"
        }
        let table = try readKeysFile(text, pieceLength: 65_536)
        #expect(table.count == 20_000)
        #expect(table.storageBytes <= 100 * 20_000)
        for index in stride(from: 0, to: 20_000, by: 7) {
            let found = try #require(table.lookup(digest(index)))
            #expect(table.id(of: found) == "key-\(index)")
            #expect(table.scopes(of: found).strings == ["devices:read", "s\(index % 3)"])
        }
    }
}
