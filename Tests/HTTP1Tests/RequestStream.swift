import Core
import HTTP1

/// How reading a connection's bytes ended.
enum StreamEnding: Equatable {
    /// All bytes were used, or the last message closes the connection.
    case clean
    /// More bytes must come.
    case cut
    case refused(String)

    var isRefused: Bool {
        if case .refused = self { true } else { false }
    }
}

/// What a client connection's bytes come to: the requests read whole, and how reading ended.
struct RequestStream {
    struct Request {
        var head: RequestHead
        var body: [UInt8] = []
        var trailers = TrailerSection()
    }

    var requests: [Request] = []
    var ending = StreamEnding.clean

    /// Reads as the gateway does: head, content, next head, until a fault or a request that closes.
    init(_ bytes: [UInt8]) {
        var offset = 0
        while offset < bytes.count {
            var head = RequestHead()
            var parser = RequestHeadParser()
            switch parser.parse(bytes.span.extracting(offset..<bytes.count), bounds: Bounds(), into: &head) {
            case .incomplete:
                ending = .cut
                return
            case .malformed(let fault):
                ending = .refused("\(fault.reason)")
                return
            case .complete(let count): offset += count
            }
            guard let request = readBody(of: head, bytes, from: &offset) else { return }
            requests.append(request)
            if !head.keepsAlive { return }
        }
    }

    private mutating func readBody(of head: RequestHead, _ bytes: [UInt8], from offset: inout Int) -> Request? {
        var request = Request(head: head)
        switch head.framing {
        case .none, .untilClose: return request
        case .length(let length):
            guard length <= UInt64(bytes.count - offset) else {
                ending = .cut
                return nil
            }
            request.body = Array(bytes[offset..<offset + Int(length)])
            offset += Int(length)
            return request
        case .chunked:
            let body = ChunkedBody(Array(bytes[offset...]))
            guard case .whole(let count) = body.ending else {
                if case .refused(let fault) = body.ending {
                    ending = .refused("\(fault.reason)")
                } else {
                    ending = .cut
                }
                return nil
            }
            offset += count
            request.body = body.content
            request.trailers = body.trailers
            return request
        }
    }
}

/// What a chunked body comes to when it arrives in pieces cut at the given offsets.
struct ChunkedBody: Equatable {
    enum Ending: Equatable {
        case whole(byteCount: Int)
        case cut
        case refused(FramingFault)
    }

    var content: [UInt8] = []
    var trailers = TrailerSection()
    var ending = Ending.cut

    init(_ bytes: [UInt8], cuts: [Int] = []) {
        var decoder = ChunkedDecoder()
        var start = 0
        do {
            for cut in cuts + [bytes.count] {
                let piece = bytes[start..<cut]
                var index = 0
                while let event = try decoder.next(Array(piece).span, from: &index) {
                    switch event {
                    case .body(let range): content += piece.dropFirst(range.lowerBound).prefix(range.count)
                    case .end:
                        ending = .whole(byteCount: start + index)
                        trailers = decoder.trailers
                        return
                    }
                }
                start = cut
            }
        } catch {
            ending = .refused(error)
        }
    }

    static func == (a: ChunkedBody, b: ChunkedBody) -> Bool {
        a.content == b.content && a.ending == b.ending && a.trailers.bytes == b.trailers.bytes
            && describe(a.trailers.fields, of: a.trailers.bytes) == describe(b.trailers.fields, of: b.trailers.bytes)
    }
}
