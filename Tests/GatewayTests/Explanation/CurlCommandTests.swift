import Core
import Testing

@testable import Gateway

@Suite struct CurlCommandTests {
    static let agent = "User-Agent: curl\r\nAccept: */*\r\n"
    static let commands: [(String, String)] = [
        ("curl http://a.test/b", "GET /b HTTP/1.1\r\nHost: a.test\r\n\(agent)"),
        ("$ curl a.test", "GET / HTTP/1.1\r\nHost: a.test\r\n\(agent)"),
        ("/usr/bin/curl -sSik 'http://a.test?x=1#y'", "GET /?x=1 HTTP/1.1\r\nHost: a.test\r\n\(agent)"),
        (
            "curl -X DELETE -H 'X-API-Key: k' --url http://a.test/b",
            "DELETE /b HTTP/1.1\r\nHost: a.test\r\n\(agent)X-API-Key: k\r\n"
        ),
        (
            "curl -XPUT -HA:b http://a.test -o file --resolve a.test:80:127.0.0.1 -w '%{http_code}'",
            "PUT / HTTP/1.1\r\nHost: a.test\r\n\(agent)A: b\r\n"
        ),
        (
            "curl -d a=1 --data-raw '@b' http://a.test",
            "POST / HTTP/1.1\r\nHost: a.test\r\n\(agent)Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 6\r\n"
        ),
        (
            "curl --json '{}' http://a.test",
            "POST / HTTP/1.1\r\nHost: a.test\r\nUser-Agent: curl\r\nAccept: application/json\r\nContent-Type: application/json\r\nContent-Length: 2\r\n"
        ),
        (
            "curl -G -d a=1 --data-urlencode 'q=a b&c' 'http://a.test/?z=0'",
            "GET /?z=0&a=1&q=a%20b%26c HTTP/1.1\r\nHost: a.test\r\n\(agent)"
        ),
        ("curl -I http://a.test", "HEAD / HTTP/1.1\r\nHost: a.test\r\n\(agent)"),
        (
            "curl -u user:pass -b 'a=b; c=d' -A me -e http://r http://a.test",
            "GET / HTTP/1.1\r\nHost: a.test\r\nAuthorization: Basic dXNlcjpwYXNz\r\nUser-Agent: me\r\nAccept: */*\r\nReferer: http://r\r\nCookie: a=b; c=d\r\n"
        ),
        ("curl -H 'Host: other' -H 'Accept:' -H 'X-Empty;' http://a.test", "GET / HTTP/1.1\r\nUser-Agent: curl\r\nHost: other\r\nX-Empty: \r\n"),
        ("curl --oauth2-bearer t http://u:p@a.test:81/", "GET / HTTP/1.1\r\nHost: a.test:81\r\nAuthorization: Bearer t\r\n\(agent)"),
        ("curl --http2 -- http://a.test", "GET / HTTP/1.1\r\nHost: a.test\r\n\(agent)"),
    ]

    /// What curl 7.88.1 was seen to send, but for its name.
    static let tricks: [(String, String)] = [
        ("curl http://a.test/a/../b/./c", "GET /b/c HTTP/1.1\r\nHost: a.test\r\n\(agent)"),
        ("curl http://a.test/a/..", "GET / HTTP/1.1\r\nHost: a.test\r\n\(agent)"),
        ("curl http://a.test/../x/.", "GET /x/ HTTP/1.1\r\nHost: a.test\r\n\(agent)"),
        ("curl 'http://a.test/a/%2e%2e/b?x=/../y'", "GET /a/%2e%2e/b?x=/../y HTTP/1.1\r\nHost: a.test\r\n\(agent)"),
        ("curl --path-as-is http://a.test/a/../b", "GET /a/../b HTTP/1.1\r\nHost: a.test\r\n\(agent)"),
        ("curl http://u%40x:p%3aq@a.test/", "GET / HTTP/1.1\r\nHost: a.test\r\nAuthorization: Basic dUB4OnA6cQ==\r\n\(agent)"),
        ("curl http://u@a.test/", "GET / HTTP/1.1\r\nHost: a.test\r\nAuthorization: Basic dTo=\r\n\(agent)"),
        ("curl -u a:b http://u:p@a.test/", "GET / HTTP/1.1\r\nHost: a.test\r\nAuthorization: Basic YTpi\r\n\(agent)"),
        ("curl -u a:b -H 'Authorization: z' http://u:p@a.test/", "GET / HTTP/1.1\r\nHost: a.test\r\n\(agent)Authorization: z\r\n"),
        ("curl -H 'Authorization:' http://u:p@a.test/", "GET / HTTP/1.1\r\nHost: a.test\r\n\(agent)"),
        ("curl -G -d @empty http://a.test/", "GET / HTTP/1.1\r\nHost: a.test\r\n\(agent)"),
        ("curl -G -d a=b 'http://a.test/?'", "GET /?a=b HTTP/1.1\r\nHost: a.test\r\n\(agent)"),
        ("curl -G -d a=b 'http://a.test/p?x#frag'", "GET /p?x&a=b HTTP/1.1\r\nHost: a.test\r\n\(agent)"),
        ("curl -A me -A you -e r1 -e r2 a.test", "GET / HTTP/1.1\r\nHost: a.test\r\nUser-Agent: you\r\nAccept: */*\r\nReferer: r2\r\n"),
        ("curl -b a=b -b c=d -H 'Cookie: e=f' a.test", "GET / HTTP/1.1\r\nHost: a.test\r\n\(agent)Cookie: e=f\r\n"),
        ("curl 'a.test/?next=http://b.test/'", "GET /?next=http://b.test/ HTTP/1.1\r\nHost: a.test\r\n\(agent)"),
        (
            "curl -d '' -d a=b http://a.test",
            "POST / HTTP/1.1\r\nHost: a.test\r\n\(agent)Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 4\r\n"
        ),
    ]

    @Test(arguments: commands + tricks)
    func `a command is read for the request it makes`(line: String, head: String) throws {
        let request = try CurlCommand.request(line)
        #expect(String(decoding: request.head, as: UTF8.self) == head + "\r\n")
    }

    @Test func `scheme, port and host say where it goes`() throws {
        let secure = try CurlCommand.request("curl https://api.test")
        #expect(secure.isSecure && secure.port == 443 && secure.client == nil)
        let local = try CurlCommand.request("curl http://[::1]:8080/")
        #expect(!local.isSecure && local.port == 8080 && local.client == IPAddress("::1"))
    }

    @Test(arguments: [
        ("http://localhost:1", "127.0.0.1"), ("http://LocalHost.", "127.0.0.1"), ("http://127.0.0.9/", "127.0.0.1"),
        ("http://localhost.example.com", nil), ("http://127.0.0.1.example.com", nil), ("http://[::2]/", nil),
    ])
    func `only this machine's own names come from this machine`(url: String, client: String?) throws {
        #expect(try CurlCommand.request("curl \(url)").client == client.flatMap { IPAddress($0) })
    }

    @Test func `the client certificate is told by its file, without a password`() throws {
        #expect(try CurlCommand.request("curl -E c.pem:hunter22 https://a").certificatePath == "c.pem")
        #expect(try CurlCommand.request("curl --cert c.pem --key c.key https://a").certificatePath == "c.pem")
    }

    @Test(arguments: ["curl 'http://a/{b,c}'", "curl 'http://a/[1-3]'", "curl 'http://{a,b}.test'", "curl 'http://[::1]/x[1-2]'"])
    func `a URL that stands for several is a fault`(line: String) throws {
        let fault = #expect(throws: ExplainFault.self) { try CurlCommand.request(line) }
        #expect(fault?.message.contains("several") == true)
    }

    @Test func `with -g braces and brackets stand for themselves`() throws {
        let head = String(decoding: try CurlCommand.request("curl -g 'http://[::1]/{b}?x[]=1'").head, as: UTF8.self)
        #expect(head.hasPrefix("GET /{b}?x[]=1 HTTP/1.1\r\nHost: [::1]\r\n"))
    }

    @Test(arguments: ["curl --data-urlencode x@file http://a", "curl --data-urlencode @file http://a"])
    func `content of a file is not taken for its name`(line: String) throws {
        let request = try CurlCommand.request(line)
        #expect(String(decoding: request.head, as: UTF8.self).contains("Content-Length: \(line.contains("x@") ? 2 : 0)\r\n"))
        #expect(request.remarks == ["the content of a file is not read: its length is taken for 0"])
    }

    @Test func `a variable in single quotes is sent as it stands, and that is said`() throws {
        let request = try CurlCommand.request("curl -H 'X-API-Key: $KEY' -d '{\"$ref\":1}' http://a")
        #expect(String(decoding: request.head, as: UTF8.self).contains("X-API-Key: $KEY\r\n"))
        #expect(request.remarks.count == 1 && request.remarks[0].hasPrefix("$KEY stands in single quotes"))
    }

    @Test(arguments: [
        "", "wget http://a", "curl", "curl --frob http://a", "curl -Z http://a", "curl http://a http://b", "curl -H",
        "curl ftp://a", "curl http://", "curl 'http://a/b c'", "curl http://a:99999/", "curl -X 'G T' http://a",
        "curl -H $'A: b\\nC: d' http://a", "curl 'http://a/é'",
    ])
    func `what is no request is a fault of one line`(line: String) {
        let fault = #expect(throws: ExplainFault.self) { try CurlCommand.request(line) }
        #expect(fault?.message.contains("\n") == false)
    }

    @Test(arguments: ["curl -d @x -F a=b -G http://a", "curl -d a -F b=c http://a", "curl -d a -T f http://a", "curl -I -d a http://a"])
    func `what curl refuses to send is a fault`(line: String) {
        let fault = #expect(throws: ExplainFault.self) { try CurlCommand.request(line) }
        #expect(fault?.message.contains("-d, -F, -T and -I") == true)
    }

    @Test(arguments: [
        "curl --header=X-API-Key:hunter22 http://a", "curl ftp://u:hunter22@h", "curl http://u:hunter22/@h",
        "X-API-Key:hunter22", "X-API-Key: hunter22", "curl --X-API-Key:hunter22", "curl http://a:hunter22", "hunter22",
        "curl -X 'a hunter22' http://a", "curl -H $'A hunter22: b\\nC: d' http://a", "KEY=hunter22 curl http://a",
    ])
    func `a fault tells no secret of the line`(line: String) {
        let fault = #expect(throws: ExplainFault.self) { try CurlCommand.request(line) }
        #expect(fault?.message.contains("hunter22") == false)
    }

    @Test(arguments: ["1969-12-31T23:59:59Z", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "-1", "9223372037", "-9223372036854775808"])
    func `a moment the clock does not have is a fault`(text: String) {
        let fault = #expect(throws: ExplainFault.self) { try ExplainValue.time(text) }
        #expect(fault?.message.contains("is not between 1970-01-01 and 2262-04-11") == true)
    }

    static let documents: [(String, String)] = [
        (#"{"curl":"curl http://a.test","from":"10.0.0.1","at":1}"#, "GET / HTTP/1.1\r\nHost: a.test\r\n\(agent)\r\n"),
        (
            #"{"method":"POST","url":"http://a.test/x","headers":{"A":"b","C":["d","e"]},"body_bytes":3}"#,
            "POST /x HTTP/1.1\r\nHost: a.test\r\nA: b\r\nC: d\r\nC: e\r\nContent-Length: 3\r\n\r\n"
        ),
        ("  curl http://a.test\n", "GET / HTTP/1.1\r\nHost: a.test\r\n\(agent)\r\n"),
    ]

    @Test(arguments: documents)
    func `a document is a request too`(text: String, head: String) throws {
        #expect(String(decoding: try ExplainDocument.request(Array(text.utf8)).head, as: UTF8.self) == head)
    }

    @Test func `a document says from where and when`() throws {
        let request = try ExplainDocument.request(Array(Self.documents[0].0.utf8))
        #expect(request.client == IPAddress("10.0.0.1") && request.time == WallTime(seconds: 1))
    }

    @Test(arguments: [
        "", "{", "{}", #"{"url":1}"#, #"{"url":"http://a","uri":""}"#, #"{"url":"http://a","headers":[]}"#,
        #"{"url":"http://a","headers":{"A":1}}"#, #"{"url":"http://a","from":"x"}"#, #"{"url":"http://a","at":"noon"}"#,
        #"{"url":"http://a","body_bytes":-1}"#, #"{"url":"http://a","certificate":1}"#,
    ])
    func `a document that is none is a fault of one line`(text: String) {
        let fault = #expect(throws: ExplainFault.self) { try ExplainDocument.request(Array(text.utf8)) }
        #expect(fault?.message.contains("\n") == false)
    }

    @Test(arguments: [
        "GET / HTTP/2\r\nHost: a\r\n\r\n",
        "* Connected to a\n* SSL connection using TLSv1.3\n> GET / HTTP/2\r\n> Host: a\r\n> \r\n< HTTP/2 200\n< x: y\n",
        "> GET / HTTP/1.1\n> Host: a\n>\n* done\n", "\n$ curl -H User-Agent: -H Accept: http://a/",
    ])
    func `what was sent is found in what somebody pasted`(text: String) throws {
        let request = try ExplainRequest.raw(Array(text.utf8))
        #expect(String(decoding: request.head, as: UTF8.self) == "GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(request.isSecure == text.contains("SSL"))
    }

    @Test(arguments: ["GET / HTTP/1.1\nHost: a", "GET / HTTP/1.1\r\nHost: a\r\n\r\nbody", "GET / HTTP/1.1\nHost: a\n\nbody"])
    func `a captured head gets its line ends`(text: String) throws {
        let request = try ExplainRequest.raw(Array(text.utf8))
        #expect(String(decoding: request.head, as: UTF8.self) == "GET / HTTP/1.1\r\nHost: a\r\n\r\n")
    }
}
