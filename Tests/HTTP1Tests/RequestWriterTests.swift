import Core
import HTTP1
import Testing

@Suite struct RequestWriterTests {
    static func written(
        _ request: String, target: String = "/t", host: String = "up:1", framing: BodyFraming? = nil,
        added: borrowing HeaderLines = HeaderLines()
    ) throws -> String {
        let head = try #require(parseRequest(request).head)
        var out = ByteBuffer()
        out.append("before|")
        RequestWriter.append(
            requestTo: &out, head: head, target: target.utf8.span, host: host.utf8.span,
            framing: framing ?? head.framing, added: added)
        return String(decoding: out.array, as: UTF8.self)
    }

    @Test func `fields pass as they came, Host and framing are made anew, our lines come last`() throws {
        var added = HeaderLines()
        added.append(name: "Via", value: "1.1 gw")
        let request = """
            PURGE /x?y HTTP/1.0\r
            A:1\r
            hOST: h\r
            B:  two \r
            Connection: c\r
            C: 3\r
            Content-Length: 007\r
            D: 4\r
            \r

            """
        #expect(
            try Self.written(request, added: added)
                == "before|PURGE /t HTTP/1.1\r\nHost: up:1\r\nA:1\r\nB:  two \r\nD: 4\r\nContent-Length: 7\r\n"
                + "Via: 1.1 gw\r\n\r\n")
    }

    @Test func `framing is written as told`() throws {
        let request = "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nA: 1\r\n\r\n"
        let head = "before|POST /t HTTP/1.1\r\nHost: up:1\r\nA: 1\r\n"
        #expect(try Self.written(request) == head + "Transfer-Encoding: chunked\r\n\r\n")
        #expect(try Self.written(request, framing: BodyFraming.none) == head + "\r\n")
        let largest = "Content-Length: 18446744073709551615\r\n\r\n"
        #expect(try Self.written(request, framing: .length(.max)) == head + largest)
    }

    @Test func `a head without fields is written`() throws {
        #expect(try Self.written("GET / HTTP/1.0\r\n\r\n") == "before|GET /t HTTP/1.1\r\nHost: up:1\r\n\r\n")
    }

    @Test(arguments: 0..<64) func `every choice of dropped lines leaves the others whole and in order`(_ choice: Int)
        throws
    {
        var head = try #require(
            parseRequest("GET / HTTP/1.0\r\n" + (0..<6).map { "N\($0): \($0)\r\n" }.joined() + "\r\n").head)
        var expected = "GET / HTTP/1.1\r\nHost: h\r\n"
        for index in 0..<6 {
            head.fields[index].isDropped = choice >> index & 1 == 1
            if !head.fields[index].isDropped { expected += "N\(index): \(index)\r\n" }
        }
        var out = ByteBuffer()
        RequestWriter.append(
            requestTo: &out, head: head, target: "/".utf8.span, host: "h".utf8.span, framing: .none,
            added: HeaderLines())
        #expect(String(decoding: out.array, as: UTF8.self) == expected + "\r\n")
    }
}
