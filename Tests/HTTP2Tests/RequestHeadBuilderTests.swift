import Core
import HTTP1
import Testing

@testable import HTTP2

/// A head of HTTP/2 is the head of an HTTP/1.1 request that says the same.
@Suite struct RequestHeadBuilderTests {
    static let cases: [[(String, String)]] = [
        Frames.get, [(":path", "/a/b;c?d=e&f?"), (":authority", "[::1]:8443"), (":scheme", "http"), (":method", "DELETE")],
        [(":method", "OPTIONS"), (":scheme", "https"), (":path", "*"), (":authority", "h.test")],
        [(":method", "M-SEARCH"), (":scheme", "https"), (":path", "/?"), ("host", "h.test:1")],
        Frames.get + [("a", ""), ("b", "c"), ("te", "trailers"), ("x-long", String(repeating: "v", count: 5000))],
        Frames.get + [("cookie", "a=1"), ("x", "y"), ("cookie", "b=2"), ("host", "h.test")],
        Frames.get + [
            ("authorization", "Bearer x"), ("proxy-authorization", "a"), ("http2-settings", "b"), ("close", "c"),
            ("x-forwarded-for", "1.2.3.4"), ("via", "2 a"), ("max-forwards", "3"), ("trailer", "x"), ("expect", "100-continue"),
        ],
        Frames.post + [("content-length", "18446744073709551615"), ("content-type", "application/json")],
    ]

    private func build(_ fields: [(String, String)], ends: Bool) -> (RequestHeadBuilder.Outcome, RequestHead) {
        var builder = RequestHeadBuilder()
        builder.begin()
        for (name, value) in fields {
            let (name, value) = (Frames.latin1(name), Frames.latin1(value))
            builder.take(name.span, value.span, bounds: Bounds())
        }
        return (builder.finish(ends: ends, bounds: Bounds()), builder.head)
    }

    @Test(arguments: cases) func `the parser of HTTP 1 reads the same in it`(_ fields: [(String, String)]) {
        let (outcome, head) = build(fields, ends: true)
        #expect(outcome == .request)
        var parsed = RequestHead()
        var parser = RequestHeadParser()
        let progress = parser.parse(head.bytes.span, bounds: Bounds(), into: &parsed)
        #expect(progress == .complete(byteCount: head.bytes.count))
        #expect(parsed.bytes == head.bytes && parsed.method == head.method && parsed.methodRange == head.methodRange)
        #expect(parsed.target == head.target && parsed.targetForm == head.targetForm && parsed.path == head.path)
        #expect(parsed.query == head.query && parsed.hasQuery == head.hasQuery && parsed.authority == head.authority)
        #expect(parsed.framing == head.framing && parsed.keepsAlive == head.keepsAlive)
        #expect(parsed.expectsContinue == head.expectsContinue && parsed.acceptsTrailers == head.acceptsTrailers)
        #expect(parsed.wantsUpgrade == head.wantsUpgrade && head.version == .http2)
        #expect(parsed.fields.count == head.fields.count)
        for (line, own) in zip(parsed.fields, head.fields) {
            #expect(line.name == own.name && line.value == own.value && line.known == own.known)
            #expect(line.isDropped == own.isDropped, "\(text(head.bytes, own.name))")
        }
    }

    @Test func `content of unknown length is chunked, none is none`() {
        #expect(build(Frames.post, ends: false).1.framing == .chunked)
        #expect(build(Frames.post, ends: true).1.framing == .none)
        #expect(build(Frames.post + [("content-length", "3")], ends: false).1.framing == .length(3))
        let announced = build(Frames.post + [("trailer", "x")], ends: false).1
        #expect(announced.fields.last?.known == .trailer && announced.fields.last?.isDropped == false)
    }

    @Test func `what could be read of a refused head stays for the record`() {
        let (outcome, head) = build([(":method", "HEAD"), (":path", "/x#y"), (":scheme", "https"), (":authority", "h")], ends: true)
        #expect(outcome == .refused(.targetInvalid) && head.method == .head)
        #expect(text(head.bytes, head.methodRange) == "HEAD" && head.target.isEmpty)
    }

    @Test func `nothing is kept of a head beyond its bound`() {
        var builder = RequestHeadBuilder()
        builder.begin()
        for (name, value) in Frames.get {
            builder.take(Array(name.utf8).span, Array(value.utf8).span, bounds: Bounds())
        }
        let value = [UInt8](repeating: 0x61, count: 10_000)
        for _ in 0..<1000 { builder.take([0x62].span, value.span, bounds: Bounds()) }
        #expect(builder.fault == .headTooLarge && builder.head.bytes.count < 50_000)
        builder.begin()
        #expect(builder.fault == nil && builder.head.fields.isEmpty)
    }
}
