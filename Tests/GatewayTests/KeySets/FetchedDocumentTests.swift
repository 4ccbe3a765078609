import Core
import HTTP1
import Testing

@testable import Gateway

@Suite struct FetchedDocumentTests {
    static func lifetime(_ fields: String) -> FetchedDocument.Lifetime {
        var head = ResponseHead()
        var parser = ResponseHeadParser()
        let bytes = Array("HTTP/1.1 200 OK\r\n\(fields)\r\n".utf8)
        _ = parser.parse(bytes.span, requestMethod: .get, into: &head)
        return FetchedDocument.lifetime(of: head)
    }

    @Test(arguments: [
        ("", FetchedDocument.Lifetime.unstated),
        ("Cache-Control: public\r\n", .unstated),
        ("Cache-Control: max-age=600\r\n", .lasts(.seconds(600))),
        ("cache-control: Public, MAX-AGE = 600\r\n", .lasts(.seconds(600))),
        ("Cache-Control: max-age=\"600\"\r\n", .lasts(.seconds(600))),
        ("Cache-Control: max-age=600\r\nAge: 100\r\n", .lasts(.seconds(500))),
        ("Cache-Control: max-age=600\r\nAge: 1000\r\n", .lasts(0)),
        ("Cache-Control: max-age=600, max-age=60\r\n", .lasts(.seconds(60))),
        ("Cache-Control: max-age=600\r\nCache-Control: no-cache\r\n", .none),
        ("Cache-Control: max-age=600, no-store\r\n", .none),
        ("Cache-Control: max-age=-1\r\n", .unstated),
        ("Cache-Control: max-age=soon\r\n", .unstated),
        ("Cache-Control: max-age\r\n", .unstated),
        ("Cache-Control: max-age=99999999999999999999\r\n", .lasts(.seconds(1 << 31))),
        ("Cache-Control: max-age=9223372036854775807\r\n", .lasts(.seconds(1 << 31))),
        ("Cache-Control: max-age=1 0\r\n", .unstated),
        ("Cache-Control: max-age=\"\"\r\n", .unstated),
        ("Cache-Control: ,, max-age=5,\r\n", .lasts(.seconds(5))),
        ("Cache-Control: x-max-age=5\r\n", .unstated),
        ("Cache-Control: no-cache=\"Set-Cookie\"\r\n", .none),
        ("Cache-Control: max-age=600\r\nAge: soon\r\n", .lasts(.seconds(600))),
    ])
    func `what Cache-Control says`(fields: String, expected: FetchedDocument.Lifetime) {
        #expect(Self.lifetime(fields) == expected)
    }
}
