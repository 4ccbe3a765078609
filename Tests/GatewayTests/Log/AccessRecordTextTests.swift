import Core
import Foundation
import HTTP1
import Policy
import Testing

@testable import Gateway

@Suite struct AccessRecordTextTests {
    static let members = [
        "time", "request_id", "client", "peer", "method", "scheme", "host", "path", "version", "user_agent", "status", "reason",
        "token_member", "would_have", "route", "other_route", "upstream", "server", "auth", "source", "credential", "fingerprint", "subject", "bytes_in", "bytes_out",
        "duration_us", "upstream_us", "retries",
    ]

    static func head(_ text: String) -> RequestHead {
        var head = RequestHead()
        var parser = RequestHeadParser()
        let bytes = Array(text.utf8)
        _ = parser.parse(bytes.span, bounds: Bounds(), into: &head)
        return head
    }

    static func line(_ record: AccessRecord, _ head: RequestHead) -> String {
        var out: [UInt8] = []
        AccessRecordText.append(record, head: head, to: &out)
        return String(decoding: out, as: UTF8.self)
    }

    static func members(of line: String) throws -> [String: Any] {
        try #require(JSONSerialization.jsonObject(with: Foundation.Data(line.utf8)) as? [String: Any])
    }

    @Test func `an allowed request reads as one line of known members`() {
        var record = AccessRecord()
        record.time = WallTime(nanoseconds: 1_792_713_600_123_456_789)
        record.requestID = Array("rq_1".utf8)
        record.client = IPAddress("2001:db8::1")!
        record.peer = IPAddress("10.0.0.1")!
        record.status = 200
        record.route = "devices"
        record.upstream = "backend"
        record.server = "127.0.0.1:9000"
        record.authentication = .apiKey
        record.isSecure = true
        record.source = Array("header:x-api-key".utf8)
        record.credential = Array("ci".utf8)
        record.fingerprint = Array("0a1b2c3d".utf8)
        record.subject = Array("ci@acme".utf8)
        record.bytesIn = 5
        record.bytesOut = 27
        record.duration = 1_234_999
        record.upstreamDuration = 1_000_000
        let head = Self.head("GET /a/b?api_key=secret HTTP/1.1\r\nHost: api.example\r\nUser-Agent: curl/8\r\n\r\n")
        #expect(
            Self.line(record, head)
                == #"{"time":"2026-10-23T00:00:00.123Z","request_id":"rq_1","client":"2001:db8::1","peer":"10.0.0.1","#
                + #""method":"GET","scheme":"https","host":"api.example","path":"/a/b","version":"1.1","user_agent":"curl/8","#
                + #""status":200,"reason":null,"token_member":null,"would_have":null,"route":"devices","other_route":null,"upstream":"backend","server":"127.0.0.1:9000","#
                + #""auth":"api_key","source":"header:x-api-key","credential":"ci","fingerprint":"0a1b2c3d","subject":"ci@acme","bytes_in":5,"#
                + #""bytes_out":27,"duration_us":1234,"upstream_us":1000,"retries":0}"# + "\n")
    }

    @Test func `what rules in shadow mode would have refused is a list`() throws {
        var record = AccessRecord()
        record.shadowRefusals = [
            ShadowRefusal(rule: "limits.a\"b", denial: .rateLimited), ShadowRefusal(rule: "authorize", denial: .scopeMissing),
        ]
        let members = try Self.members(of: Self.line(record, RequestHead()))
        let refusals = try #require(members["would_have"] as? [[String: String]])
        #expect(
            refusals == [
                ["rule": "limits.a\"b", "reason": "rate_limited"], ["rule": "authorize", "reason": "scope_missing"],
            ])
        record.removeAll()
        #expect(record.shadowRefusals.isEmpty)
    }

    @Test func `a request that could not be read has the same members`() throws {
        var record = AccessRecord()
        record.status = 400
        record.reason = "request_malformed"
        let line = Self.line(record, RequestHead())
        let members = try Self.members(of: line)
        #expect(members.keys.sorted() == Self.members.sorted())
        #expect(members["path"] is NSNull)
        #expect(members["version"] is NSNull)
        #expect(members["reason"] as? String == "request_malformed")
    }

    @Test func `ranges that do not lie in the head are written as null`() throws {
        var head = Self.head("GET /a HTTP/1.1\r\nHost: h\r\nUser-Agent: x\r\n\r\n")
        head.bytes.removeAll()
        let members = try Self.members(of: Self.line(AccessRecord(), head))
        #expect(members["path"] is NSNull)
        #expect(members["host"] is NSNull)
        #expect(members["user_agent"] is NSNull)
    }

    @Test func `bytes a client chose cannot break out of their string or line`() throws {
        let agent: [UInt8] = Array("a\"b\\c\t".utf8) + [0xFF, 0xC3] + Array("d".utf8)
        var head = RequestHead()
        var parser = RequestHeadParser()
        let bytes = Array("GET / HTTP/1.1\r\nHost: h\r\nUser-Agent: ".utf8) + agent + Array("\r\n\r\n".utf8)
        _ = parser.parse(bytes.span, bounds: Bounds(), into: &head)
        var record = AccessRecord()
        record.subject = Array("x\r\n{\"forged\":1}\u{1}".utf8)
        let line = Self.line(record, head)
        #expect(line.filter { $0.isNewline }.count == 1)
        let members = try Self.members(of: line)
        #expect(members["user_agent"] as? String == "a\"b\\c\t\u{FFFD}\u{FFFD}d")
        #expect(members["subject"] as? String == "x\r\n{\"forged\":1}\u{1}")
    }

    @Test func `long values are cut`() throws {
        let path = "/" + String(repeating: "a", count: 5000)
        let agent = String(repeating: "u", count: 1000)
        let head = Self.head("GET \(path) HTTP/1.1\r\nHost: h\r\nUser-Agent: \(agent)\r\n\r\n")
        let members = try Self.members(of: Self.line(AccessRecord(), head))
        #expect((members["path"] as? String)?.utf8.count == AccessRecordText.pathBytes)
        #expect((members["user_agent"] as? String)?.utf8.count == AccessRecordText.valueBytes)
    }
}
