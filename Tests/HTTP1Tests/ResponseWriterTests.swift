import Core
import HTTP1
import Testing

@Suite struct ResponseWriterTests {
    static func written(
        _ response: String, method: Method = .get, version: HTTPVersion = .http11, closes: Bool = false,
        added: borrowing HeaderLines = HeaderLines()
    ) throws -> String {
        let head = try #require(parseResponse(bytes(response), method: method).head)
        let framing = ResponseFraming(
            received: head.framing, status: head.status, requestMethod: method, version: version)
        var out = ByteBuffer()
        ResponseWriter.append(
            responseTo: &out, head: head, framing: framing, version: version, added: added, closes: closes,
            date: "now".utf8.span)
        return String(decoding: out.array, as: UTF8.self)
    }

    static let cases: [(String, Method, HTTPVersion, Bool, String)] = [
        // The upstream's Date is kept; its framing, Connection and the field named there are not.
        (
            "HTTP/1.0 200 Fine\r\nDate: then\r\nConnection: x\r\nX: 1\r\nContent-Length: 03\r\nY: 2\r\n\r\n", .get,
            .http11, false,
            "HTTP/1.1 200 Fine\r\nDate: then\r\nY: 2\r\nContent-Length: 3\r\n\r\n"
        ),
        (
            "HTTP/1.1 200\r\n\r\n", .get, .http11, false,
            "HTTP/1.1 200 \r\nDate: now\r\nTransfer-Encoding: chunked\r\n\r\n"
        ),
        ("HTTP/1.1 200\r\n\r\n", .get, .http10, false, "HTTP/1.1 200 \r\nDate: now\r\nConnection: close\r\n\r\n"),
        (
            "HTTP/1.1 200\r\nTransfer-Encoding: chunked\r\n\r\n", .get, .http10, false,
            "HTTP/1.1 200 \r\nDate: now\r\nConnection: close\r\n\r\n"
        ),
        (
            "HTTP/1.1 200\r\nContent-Length: 1\r\n\r\n", .get, .http10, false,
            "HTTP/1.1 200 \r\nDate: now\r\nContent-Length: 1\r\nConnection: keep-alive\r\n\r\n"
        ),
        (
            "HTTP/1.1 200\r\nContent-Length: 9\r\n\r\n", .head, .http11, true,
            "HTTP/1.1 200 \r\nContent-Length: 9\r\nDate: now\r\nConnection: close\r\n\r\n"
        ),
        (
            "HTTP/1.1 200\r\nTransfer-Encoding: chunked\r\n\r\n", .head, .http11, false,
            "HTTP/1.1 200 \r\nDate: now\r\n\r\n"
        ),
        (
            "HTTP/1.1 304\r\nContent-Length: 9\r\n\r\n", .get, .http11, false,
            "HTTP/1.1 304 \r\nContent-Length: 9\r\nDate: now\r\n\r\n"
        ),
        ("HTTP/1.1 204\r\nContent-Length: 9\r\n\r\n", .get, .http11, false, "HTTP/1.1 204 \r\nDate: now\r\n\r\n"),
        ("HTTP/1.1 204\r\nContent-Length: 9\r\n\r\n", .head, .http11, false, "HTTP/1.1 204 \r\nDate: now\r\n\r\n"),
    ]

    @Test(arguments: cases.indices) func `a response goes on in our version with the framing its client understands`(
        _ index: Int
    ) throws {
        let (response, method, version, closes, expected) = Self.cases[index]
        #expect(try Self.written(response, method: method, version: version, closes: closes) == expected)
    }

    @Test func `our lines come behind the upstream's`() throws {
        var added = HeaderLines()
        added.append(name: "X-Request-ID", value: "1")
        let response = "HTTP/1.1 200 OK\r\nA: b\r\nDate: d\r\nContent-Length: 0\r\n\r\n"
        let expected = "HTTP/1.1 200 OK\r\nA: b\r\nDate: d\r\nX-Request-ID: 1\r\nContent-Length: 0\r\n\r\n"
        #expect(try Self.written(response, added: added) == expected)
    }

    @Test func `a response may go on with another status and reason`() throws {
        let head = try #require(parseResponse(bytes("HTTP/1.1 200 OK\r\nDate: d\r\nContent-Length: 0\r\n\r\n")).head)
        var out = ByteBuffer()
        ResponseWriter.append(
            responseTo: &out, status: 503, reason: "Later".utf8.span, head: head, framing: .length(0), version: .http11,
            added: HeaderLines(), closes: false, date: "now".utf8.span)
        #expect(String(decoding: out.array, as: UTF8.self) == "HTTP/1.1 503 Later\r\nDate: d\r\nContent-Length: 0\r\n\r\n")
    }

    @Test func `an interim response passes without framing, date or connection`() throws {
        let response = "HTTP/1.1 103 Early\r\nLink: </a>\r\nContent-Length: 5\r\nConnection: close\r\n\r\n"
        let head = try #require(parseResponse(bytes(response)).head)
        var out = ByteBuffer()
        ResponseWriter.append(informationalTo: &out, head: head, added: HeaderLines())
        ResponseWriter.append(continueTo: &out)
        let expected = "HTTP/1.1 103 Early\r\nLink: </a>\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n"
        #expect(String(decoding: out.array, as: UTF8.self) == expected)
    }

    static let local: [(Int, Method, HTTPVersion, Bool, String)] = [
        (401, .get, .http11, false, "HTTP/1.1 401 Unauthorized\r\nDate: now\r\nA: b\r\nContent-Length: 2\r\n\r\nno"),
        (401, .head, .http11, false, "HTTP/1.1 401 Unauthorized\r\nDate: now\r\nA: b\r\nContent-Length: 2\r\n\r\n"),
        (
            400, .get, .http11, true,
            "HTTP/1.1 400 Bad Request\r\nDate: now\r\nA: b\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno"
        ),
        (
            429, .get, .http10, false,
            "HTTP/1.1 429 Too Many Requests\r\nDate: now\r\nA: b\r\nContent-Length: 2\r\n"
                + "Connection: keep-alive\r\n\r\nno"
        ),
        (204, .get, .http11, false, "HTTP/1.1 204 No Content\r\nDate: now\r\nA: b\r\n\r\n"),
        (599, .get, .http11, false, "HTTP/1.1 599 \r\nDate: now\r\nA: b\r\nContent-Length: 2\r\n\r\nno"),
    ]

    @Test(arguments: local.indices) func `an answer of the gateway itself is whole`(_ index: Int) {
        let (status, method, version, closes, expected) = Self.local[index]
        var lines = HeaderLines()
        lines.append(name: "A", value: "b")
        var out = ByteBuffer()
        ResponseWriter.append(
            localResponseTo: &out, status: status, lines: lines, body: "no".utf8.span, requestMethod: method,
            version: version, closes: closes, date: "now".utf8.span)
        #expect(String(decoding: out.array, as: UTF8.self) == expected)
    }

    @Test func `every status that a fault answers with has a phrase`() {
        for fault in RequestFault.allCases { #expect(ReasonPhrase.standard(for: fault.status).utf8CodeUnitCount > 0) }
    }
}
