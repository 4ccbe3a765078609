import Core
import Testing

@testable import Policy

struct APIKeyRecordParserTests {
    private static let hex = String(repeating: "ab", count: 32)

    private func parse(
        _ text: String, path: String = "", member: APIKeyRecordParser.DigestMember = .sha256
    ) throws -> (record: APIKeyConfiguration?, errors: [APIKeyRecordError]) {
        let full = text.replacing("HEX", with: Self.hex)
        let node = try JSONNode.parse(full.utf8.span)
        var errors: [APIKeyRecordError] = []
        let record = APIKeyRecordParser(digestMember: member).parse(node, path: path, errors: &errors)
        return (record, errors)
    }

    @Test func `a record with every member is read`() throws {
        let text = """
            {"id": "ci", "sha256": "HEX", "subject": "ci@acme", "scopes": ["devices:read", "x"],
             "allow_ips": ["127.0.0.0/8", "::1"], "not_before": "2026-01-01T00:00:00Z",
             "expires_at": "2027-01-01T00:00:00Z", "limits": ["gold"], "enabled": false}
            """
        let (record, errors) = try parse(text, path: "keys[0]")
        #expect(errors.isEmpty)
        let read = try #require(record)
        #expect(read.id == "ci")
        #expect(read.subject == "ci@acme")
        #expect(read.scopes == ["devices:read", "x"])
        #expect(read.allowedAddresses == [try CIDRBlock.parse("127.0.0.0/8"), try CIDRBlock.parse("::1")])
        #expect(
            read.secrets == [
                .init(
                    digest: try #require(Digest256(hex: Self.hex)),
                    notBefore: WallTime(rfc3339: "2026-01-01T00:00:00Z"),
                    expiresAt: WallTime(rfc3339: "2027-01-01T00:00:00Z"))
            ])
        #expect(read.limits.map(\.value) == ["gold"])
        #expect(read.limits[0].path == "keys[0].limits[0]")
        #expect(read.limits[0].position == SourcePosition(line: 3, column: 51))
        #expect(!read.isEnabled)
    }

    @Test func `the subject is the id where none is given, and a key is enabled`() throws {
        let record = try #require(try parse(#"{"id": "ci", "sha256": "HEX"}"#).record)
        #expect(record.subject == "ci")
        #expect(record.isEnabled)
        #expect(record.scopes.isEmpty && record.allowedAddresses.isEmpty && record.limits.isEmpty)
    }

    @Test func `with a pepper the digest stands in hmac_sha256`() throws {
        #expect(try parse(#"{"id": "ci", "hmac_sha256": "HEX"}"#, member: .hmacSHA256).record != nil)
    }

    @Test func `several secrets have times of their own, within those of the record`() throws {
        let other = String(repeating: "cd", count: 32)
        let text = """
            {"id": "ci", "not_before": "2026-01-01T00:00:00Z", "expires_at": "2027-01-01T00:00:00Z", "secrets": [
              {"sha256": "HEX", "expires_at": "2026-06-01T00:00:00Z"},
              {"sha256": "\(other)", "not_before": "2026-05-01T00:00:00Z", "expires_at": "2028-01-01T00:00:00Z"}]}
            """
        let (record, errors) = try parse(text)
        #expect(errors.isEmpty)
        let secrets = try #require(record?.secrets)
        #expect(
            secrets.map(\.notBefore) == [
                WallTime(rfc3339: "2026-01-01T00:00:00Z"), WallTime(rfc3339: "2026-05-01T00:00:00Z"),
            ])
        #expect(
            secrets.map(\.expiresAt) == [
                WallTime(rfc3339: "2026-06-01T00:00:00Z"), WallTime(rfc3339: "2027-01-01T00:00:00Z"),
            ])
    }

    @Test(arguments: [
        (#"[]"#, DiagnosticCode.typeWrong, "", "a key record is an object, found a list"),
        (#"{"sha256":"HEX"}"#, .memberMissing, "", #"a key record needs "id""#),
        (
            #"{"id":"a"}"#, .memberMissing, "",
            #"a key record needs its digest in "sha256" or "secrets"; "portcullis key hash" makes it"#
        ),
        (#"{"id":"a","sha256":"HEX","kez":1}"#, .memberUnknown, "", #"unknown member "kez""#),
        (
            #"{"id":"a","sha256":"HEX","scope":[]}"#, .memberUnknown, "",
            #"unknown member "scope"; did you mean "scopes"?"#
        ),
        (
            #"{"id":"a","sha256":"HEX","key":"s3cret"}"#, .secretLiteral, "key",
            #"a key is not kept in clear: put its digest in "sha256"; "portcullis key hash" makes it"#
        ),
        (
            #"{"id":"a","sha256":"HEX","Secret":"s3cret"}"#, .secretLiteral, "Secret",
            #"a key is not kept in clear: put its digest in "sha256"; "portcullis key hash" makes it"#
        ),
        (
            #"{"id":"a","sha256":"HEX","value":"s3cret"}"#, .secretLiteral, "value",
            #"a key is not kept in clear: put its digest in "sha256"; "portcullis key hash" makes it"#
        ),
        (
            #"{"id":"a","sha256":"s3cret"}"#, .secretLiteral, "sha256",
            #"not 64 hexadecimal digits; "portcullis key hash" makes it"#
        ),
        (#"{"id":"a","sha256":7}"#, .typeWrong, "sha256", "expected 64 hexadecimal digits, found a number"),
        (
            #"{"id":"a","hmac_sha256":"HEX"}"#, .membersExclusive, "hmac_sha256",
            #"the authenticator has no pepper, so the digest belongs in "sha256"; "portcullis key hash" makes it"#
        ),
        (
            #"{"id":"a","sha256":"HEX","secrets":[{"sha256":"HEX"}]}"#, .membersExclusive, "secrets",
            #"give either "sha256" or "secrets", not both"#
        ),
        (#"{"id":"a","secrets":[]}"#, .valueEmpty, "secrets", "an empty list is ambiguous; leave the member out"),
        (#"{"id":"a","secrets":{}}"#, .typeWrong, "secrets", "expected a list, found an object"),
        (
            #"{"id":"a","secrets":["HEX"]}"#, .typeWrong, "secrets[0]",
            "expected an object with a digest, found a string"
        ),
        (
            #"{"id":"a","secrets":[{}]}"#, .memberMissing, "secrets[0]",
            #"a secret needs "sha256"; "portcullis key hash" makes it"#
        ),
        (
            #"{"id":"a","secrets":[{"sha256":"HEX"},{"sha256":"HEX"}]}"#, .valueDuplicate, "secrets[1]",
            "the same digest stands above"
        ),
        (
            #"{"id":"a","secrets":[{"sha256":"HEX","secret":"x"}]}"#, .secretLiteral, "secrets[0].secret",
            #"a key is not kept in clear: put its digest in "sha256"; "portcullis key hash" makes it"#
        ),
        (#"{"id":"","sha256":"HEX"}"#, .valueOutOfRange, "id", "must have 1 to 255 bytes, has 0"),
        (#"{"id":"a\r\nb","sha256":"HEX"}"#, .nameInvalid, "id", #""a\u{d}\u{a}b" holds a control character"#),
        (#"{"id":null,"sha256":"HEX"}"#, .typeWrong, "id", "expected a string, found null"),
        (#"{"id":"a","sha256":"HEX","subject":""}"#, .valueOutOfRange, "subject", "must have 1 to 1024 bytes, has 0"),
        (
            #"{"id":"a","sha256":"HEX","scopes":"x"}"#, .typeWrong, "scopes",
            "expected a list of strings, found a string"
        ),
        (
            #"{"id":"a","sha256":"HEX","scopes":["x","x"]}"#, .valueDuplicate, "scopes[1]",
            #"the scope "x" stands above"#
        ),
        (
            #"{"id":"a","sha256":"HEX","scopes":["x y"]}"#, .nameInvalid, "scopes[0]",
            #""x y" is not a scope: 1 to 255 printable ASCII characters without space, quotation mark and backslash"#
        ),
        (
            #"{"id":"a","sha256":"HEX","allow_ips":[]}"#, .valueEmpty, "allow_ips",
            "an empty list is ambiguous; leave the member out"
        ),
        (
            #"{"id":"a","sha256":"HEX","allow_ips":["10.0.0.1/8"]}"#, .addressInvalid, "allow_ips[0]",
            #""10.0.0.1/8": address bits are set beyond the prefix; did you mean "10.0.0.0/8"?"#
        ),
        (
            #"{"id":"a","sha256":"HEX","limits":["g","g"]}"#, .valueDuplicate, "limits[1]",
            #"the limit "g" stands above"#
        ),
        (
            #"{"id":"a","sha256":"HEX","limits":["1","2","3","4","5","6","7","8","9"]}"#, .valueOutOfRange, "limits",
            "more than 8 entries"
        ),
        (#"{"id":"a","sha256":"HEX","enabled":1}"#, .typeWrong, "enabled", "expected true or false, found a number"),
        (
            #"{"id":"a","sha256":"HEX","expires_at":"2027-01-01"}"#, .valueUnknown, "expires_at",
            #""2027-01-01" is not a time of RFC 3339, as in "2027-01-01T00:00:00Z""#
        ),
        (
            #"{"id":"a","sha256":"HEX","expires_at":1893456000}"#, .typeWrong, "expires_at",
            "expected a time, found a number"
        ),
        (
            #"{"id":"a","sha256":"HEX","not_before":"2027-01-01T00:00:00Z","expires_at":"2026-01-01T00:00:00Z"}"#,
            .valueOutOfRange, "", "not_before must be earlier than expires_at"
        ),
        (
            #"{"id":"a","expires_at":"2026-01-01T00:00:00Z","secrets":[{"sha256":"HEX","not_before":"2027-01-01T00:00:00Z"}]}"#,
            .valueOutOfRange, "secrets[0]", "never valid within the record's not_before and expires_at"
        ),
    ])
    func `what is wrong is named, and nothing is read`(
        text: String, code: DiagnosticCode, path: String, message: String
    ) throws {
        let (record, errors) = try parse(text)
        #expect(record == nil)
        #expect(errors.map(\.code) == [code])
        #expect(errors.map(\.path) == [path])
        #expect(errors.map(\.message) == [message])
        #expect(!errors.contains { $0.message.contains("s3cret") })
    }

    @Test func `all errors of a record are found at once, with their places`() throws {
        let (record, errors) = try parse(
            """
            {"id": 7,
             "sha256": "HEX", "enabled": "yes",
             "allow_ips": ["x", "10.0.0.0/8", "y"]}
            """, path: "authenticators.keys.keys[3]")
        #expect(record == nil)
        #expect(
            errors.map(\.path).sorted()
                == ["allow_ips[0]", "allow_ips[2]", "enabled", "id"].map {
                    "authenticators.keys.keys[3].\($0)"
                })
        #expect(errors.first?.position == SourcePosition(line: 1, column: 8))
    }
}
