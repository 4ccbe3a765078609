import HTTP1
import Testing

/// llhttp's own tests, read with its opinion; where the RFCs or this gateway are stricter, the case is named below.
@Suite struct LLHTTPTests {
    static let requests = (try? LLHTTPCase.all(in: "request")) ?? []
    static let responses = (try? LLHTTPCase.all(in: "response")) ?? []

    /// Taken by llhttp, refused here, and as what.
    static let refusedRequests = [
        // What follows an upgrade is another protocol to llhttp; no upgrade was granted, so it is a bad request.
        "connection.md: Multiple tokens with folding and LWS": "target_invalid",
        "connection.md: Upgrade GET request": "target_invalid",
        "connection.md: Upgrade POST request": "target_invalid",
        // Other protocols.
        "method.md: ANNOUNCE request with RTSP": "request_line_invalid",
        "method.md: OPTIONS request with RTSP": "request_line_invalid",
        "method.md: SOURCE request with ICE": "request_line_invalid",
        "sample.md: No HTTP version": "request_line_invalid",
        // No tunnels.
        "method.md: CONNECT request with CAPS": "method_not_supported",
        "method.md: CONNECT request": "method_not_supported",
        "method.md: CONNECT with body": "method_not_supported",
        "uri.md: Underscore in hostname": "method_not_supported",
        // `*` is for OPTIONS alone (RFC 9112 §3.2.4).
        "method.md: M-SEARCH request": "target_invalid",
        "method.md: PRI request HTTP2": "target_invalid",
        // Host is `0.0.0.0=5000`.
        "sample.md: Firefox GET": "host_invalid",
        "sample.md: curl GET": "host_invalid",
        // Fragments and userinfo.
        "transfer-encoding.md: POST with `chunked` as last transfer-encoding (multiple headers)": "target_invalid",
        "transfer-encoding.md: POST with `chunked` as last transfer-encoding": "target_invalid",
        "uri.md: Fragment in URI": "target_invalid",
        "uri.md: `host:port` and basic auth": "target_invalid",
    ]

    /// Refused by llhttp, which knows its methods; taken here, since any token is one.
    static let takenRequests: Set<String> = [
        "invalid.md: HTTP protocol and ANNOUNCE method", "invalid.md: Invalid method",
    ]

    static let refusedResponses = [
        // What follows a 101 is another protocol; these are read on as HTTP by this test only.
        "connection.md: HTTP 101 response with Upgrade and Content-Length header": "status_line_invalid",
        "connection.md: HTTP 101 response with Upgrade and Transfer-Encoding header": "status_line_invalid",
        // Only a server may skip empty lines before a message (RFC 9112 §2.2).
        "connection.md: HTTP 100 first, then 400": "status_line_invalid",
        "connection.md: HTTP 304 with Content-Length": "status_line_invalid",
        "pipelining.md: Should parse multiple events": "status_line_invalid",
        "sample.md: Response starting with CRLF": "status_line_invalid",
        // Other protocols and versions.
        "sample.md: HTTP version 0.9": "version_not_supported",
        "sample.md: ICE response": "status_line_invalid",
        "sample.md: RTSP response": "status_line_invalid",
        // Content whose end or coding the gateway cannot pass on truly.
        "transfer-encoding.md: `chunked` before other transfer-encoding": "transfer_encoding_invalid",
        "transfer-encoding.md: `chunkedchunked` transfer-encoding does not enable chunked enconding":
            "transfer_encoding_invalid",
        "transfer-encoding.md: multiple transfer-encoding where chunked is not the last one":
            "transfer_encoding_repeated",
    ]

    @Test func `the llhttp cases are there`() {
        #expect(Self.requests.count == 120)
        #expect(Self.responses.count == 64)
    }

    @Test(arguments: requests) func `llhttp's verdict on a request holds but for named exceptions`(_ test: LLHTTPCase) {
        let ending = RequestStream(Vectors.addingHost(test.input)).ending
        if let reason = Self.refusedRequests[test.title] {
            #expect(ending == .refused(reason))
        } else {
            #expect(ending.isRefused == (test.isRefused && !Self.takenRequests.contains(test.title)))
        }
    }

    @Test(arguments: responses) func `llhttp's verdict on a response holds but for named exceptions`(_ test: LLHTTPCase)
    {
        let ending = ResponseStream(test.input).ending
        if let reason = Self.refusedResponses[test.title] {
            #expect(ending == .refused(reason))
        } else {
            #expect(ending.isRefused == test.isRefused)
        }
    }
}
