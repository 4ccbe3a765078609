import Core
import Testing

@testable import Gateway

@Suite struct LoggedRequestTests {
    static let line = """
        {"time":"2026-11-21T05:21:14.007Z","request_id":"rq_1","client":"192.0.2.7","peer":"192.0.2.7","method":"GET",\
        "scheme":"https","host":"a","path":"/x","version":"1.1","user_agent":null,"status":403,"reason":"scope_missing","route":"r",\
        "upstream":null,"server":null,"auth":"api_key","source":"bearer","credential":"ci","fingerprint":"00",\
        "subject":"s","bytes_in":0,\
        "bytes_out":0,"duration_us":1,"upstream_us":null,"retries":0}
        """

    @Test func `a record is read`() throws {
        let logged = try LoggedRequest(Array(Self.line.utf8))
        #expect(logged.requestID == "rq_1" && logged.reason == "scope_missing" && logged.credential == "ci")
        #expect(logged.client == IPAddress("192.0.2.7") && logged.status == 403 && logged.upstream == nil)
    }

    @Test(arguments: ["time", "request_id", "client", "peer", "status", "reason", "route", "credential", "method", "scheme", "source", "bytes_in", "duration_us"])
    func `a line of another version says which member it lacks`(member: String) {
        let line = Self.line.replacing("\"\(member)\":", with: "\"another\":")
        let fault = #expect(throws: ExplainFault.self) { try LoggedRequest(Array(line.utf8)) }
        #expect(fault?.message.contains("\"\(member)\"") == true)
    }

    @Test(arguments: ["", "[]", "{", "null"])
    func `what is no record is a fault`(line: String) {
        #expect(throws: ExplainFault.self) { try LoggedRequest(Array(line.utf8)) }
    }
}
