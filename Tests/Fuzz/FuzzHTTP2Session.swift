// modules: Core HTTP2
// Any bytes as a peer's frames: no trap; the same events however they are cut; what is heard is sound and bounded. The
// first byte says whose session it is: even a server's, odd a client's with two requests under way; 2 or 3 modulo 4 has
// the opening frames put before it.

import Core
import HTTP2

/// Answers every request and keeps a record of all that is heard.
final class Listener: HTTP2ServerDelegate, HTTP2ClientDelegate {
    var record: [UInt8] = []
    /// Content that has not ended: how much of it is heard before something goes wrong depends on the cuts.
    private var content: [Int32: [UInt8]] = [:]
    var answers = true
    private let date = Array("Sun, 06 Nov 1994 08:49:37 GMT".utf8)

    private func note(_ what: StaticString, _ stream: HTTP2Stream) {
        record.append(what)
        record.append(decimal: stream.id)
    }

    private func check(_ bytes: [UInt8], _ fields: [FieldLine]) {
        for line in fields {
            for byte in bytes[line.name.range] + bytes[line.value.range] where byte < 0x20 && byte != 0x09 || byte == 0x7F {
                fatalError("a control passed")
            }
            for byte in bytes[line.name.range] where byte == 0x3A || 0x41...0x5A ~= byte { fatalError("a name that is none") }
        }
    }

    func session(_ session: HTTP2ServerSession, answeredBeforeEndOf stream: HTTP2Stream) { session.reset(stream, .noError) }

    func session(_ session: HTTP2ServerSession, received head: inout RequestHead, on stream: HTTP2Stream) {
        note("request", stream)
        record += head.bytes
        check(head.bytes, head.fields)
        guard head.bytes.count <= session.bounds.headByteLimit, head.fields.count <= session.bounds.fieldCountLimit + 1 else {
            fatalError("a head beyond its bounds")
        }
        guard !head.authority.isEmpty, !head.path.isEmpty, head.method != .connect else { fatalError("half a request") }
        answer(session, stream)
    }

    func session(
        _ session: HTTP2ServerSession, refused fault: RequestFault, head: inout RequestHead, on stream: HTTP2Stream
    ) {
        note("refused", stream)
        record.append(fault.reason)
        answer(session, stream)
    }

    private func answer(_ session: HTTP2ServerSession, _ stream: HTTP2Stream) {
        guard answers else { return }
        let (body, date): ([UInt8], [UInt8]) = ([1, 2, 3], self.date)
        session.submitAnswer(
            on: stream, status: 200, lines: HeaderLines(), body: body.span, requestMethod: .get, date: date.span)
    }

    func session(_ session: HTTP2ServerSession, reset head: inout RequestHead, on stream: HTTP2Stream) { note("reset", stream) }

    func session(_ session: HTTP2ClientSession, receivedInterim head: inout ResponseHead, on stream: HTTP2Stream) {
        note("interim", stream)
        check(head.bytes, head.fields)
    }

    func session(_ session: HTTP2ClientSession, received head: inout ResponseHead, on stream: HTTP2Stream) {
        note("response", stream)
        record += head.bytes
        check(head.bytes, head.fields)
        guard 200...599 ~= head.status else { fatalError("status \(head.status)") }
    }

    func session(_ session: HTTP2ClientSession, refused fault: ResponseFault, on stream: HTTP2Stream) {
        note("refused", stream)
        record.append(fault.reason)
    }

    func sessionLimitsChanged(_ session: HTTP2ClientSession) { record.append("limits") }
    func sessionReceivedPong(_ session: HTTP2ClientSession) { fatalError("an answer to no PING") }

    func session(_ session: HTTP2Session, received content: Span<UInt8>, on stream: HTTP2Stream) {
        guard stream.isOpen, !stream.isRemoteEnded else { fatalError("content behind the end") }
        self.content[stream.id, default: []].append(contentsOf: content)
        session.consumed(content.count / 2, on: stream)
    }

    func session(_ session: HTTP2Session, receivedEndOf stream: HTTP2Stream, trailers: inout TrailerSection) {
        note("end", stream)
        record += content[stream.id] ?? []
        record += trailers.bytes
        check(trailers.bytes, trailers.fields)
    }

    func session(_ session: HTTP2Session, closed stream: HTTP2Stream, code: HTTP2ErrorCode) { note("closed", stream) }
    func session(_ session: HTTP2Session, canTakeMoreOn stream: HTTP2Stream) {}
}

let opening = Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8) + [0, 0, 0, 4, 0, 0, 0, 0, 0] + [0, 0, 0, 4, 1, 0, 0, 0, 0]

func drain(_ session: HTTP2Session) -> Int {
    var out = ByteBuffer()
    session.writePending(to: &out, limit: .max, now: Instant(nanoseconds: 0))
    return out.count
}

/// What is heard, until the peer says goodbye, when `bytes` come in the pieces that end at `cuts`; `drains` writes what waits after each.
func run(_ bytes: [UInt8], mode: UInt8, cuts: some Sequence<Int>, drains: Bool) -> [UInt8] {
    let listener = Listener()
    listener.answers = mode & 4 == 0
    let session: HTTP2Session
    if mode & 1 == 0 {
        session = HTTP2ServerSession(
            bounds: Bounds(), limits: HTTP2Bounds(), acceptsWebSockets: mode & 8 != 0, delegate: listener)
    } else {
        let client = HTTP2ClientSession(limits: HTTP2Bounds(), delegate: listener)
        var head = RequestHead()
        head.bytes = Array("GET / HTTP/1.1\r\n\r\n".utf8)
        head.methodRange = ByteRange(start: 0, count: 3)
        let (target, host) = (Array("/".utf8), Array("h".utf8))
        for framing in [BodyFraming.none, .chunked] {
            _ = client.submitRequest(
                head: &head, target: target.span, host: host.span, isSecure: true, framing: framing, added: HeaderLines())
        }
        _ = drain(client)
        session = client
    }
    let input = mode & 2 == 0 ? bytes : (mode & 1 == 0 ? opening : Array(opening.suffix(18))) + bytes
    var start = 0
    for cut in Array(cuts) + [input.count] where cut <= input.count {
        session.receive(input.span.extracting(start..<cut), now: Instant(nanoseconds: 0))
        start = cut
        if drains { _ = drain(session) }
        guard session.streams.count <= 128 else { fatalError("more streams than allowed") }
    }
    // Behind a GOAWAY without open streams the library reads on to the end of the piece.
    let heard = session.isPeerLeaving ? [] : listener.record
    let written = drain(session)
    guard written <= 1_000_000 + 64 * input.count else { fatalError("\(written) bytes to \(input.count)") }
    return heard
}

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    guard count > 1 else { return 0 }
    let mode = start[0]
    let bytes = Array(UnsafeBufferPointer(start: start + 1, count: count - 1))
    let whole = run(bytes, mode: mode, cuts: [], drains: false)
    let cut = bytes.reduce(0) { ($0 &* 31 &+ Int($1)) & 0xFFFF } % count
    guard run(bytes, mode: mode, cuts: [cut], drains: false) == whole else { fatalError("cut at \(cut)") }
    if count < 200, run(bytes, mode: mode, cuts: 1..<count + 60, drains: false) != whole { fatalError("byte by byte") }
    // With what waits written in between the library knows of more streams that are gone: only soundness is judged.
    _ = run(bytes, mode: mode, cuts: stride(from: 16, to: count, by: 16), drains: true)
    return 0
}
