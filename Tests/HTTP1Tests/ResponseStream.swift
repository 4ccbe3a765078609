import Core
import HTTP1

/// What the bytes of an upstream connection come to: the responses read whole, and how reading ended.
struct ResponseStream {
    var heads: [ResponseHead] = []
    var ending = StreamEnding.clean

    /// Reads answers to GET until a fault, or a response that closes.
    init(_ bytes: [UInt8]) {
        var offset = 0
        while offset < bytes.count {
            var head = ResponseHead()
            var parser = ResponseHeadParser()
            switch parser.parse(bytes.span.extracting(offset..<bytes.count), requestMethod: .get, into: &head) {
            case .incomplete:
                ending = .cut
                return
            case .malformed(let fault):
                ending = .refused("\(fault.reason)")
                return
            case .complete(let count): offset += count
            }
            heads.append(head)
            switch head.framing {
            case .none: break
            case .untilClose: offset = bytes.count
            case .length(let length):
                guard length <= UInt64(bytes.count - offset) else {
                    ending = .cut
                    return
                }
                offset += Int(length)
            case .chunked:
                switch ChunkedBody(Array(bytes[offset...])).ending {
                case .whole(let count): offset += count
                case .cut:
                    ending = .cut
                    return
                case .refused(let fault):
                    ending = .refused("\(fault.reason)")
                    return
                }
            }
            if !head.keepsAlive { return }
        }
    }
}
