// modules: Core HTTP1
// Any bytes as a response head: no trap; the same outcome however they are cut; what passes can be written and read
// again. As of a lenient upstream too: what comes of them is a strict head, and what is strict comes to the same.

import Core
import HTTP1

func parse(_ bytes: [UInt8], cuts: some Sequence<Int>, isLenient: Bool = false) -> (ResponseProgress, ResponseHead) {
    var parser = ResponseHeadParser(isLenient: isLenient)
    var head = ResponseHead()
    for cut in Array(cuts) + [bytes.count] {
        let progress = parser.parse(bytes.span.extracting(0..<cut), requestMethod: .get, into: &head)
        if progress != .incomplete { return (progress, head) }
    }
    return (.incomplete, head)
}

func agree(_ a: (ResponseProgress, ResponseHead), _ b: (ResponseProgress, ResponseHead)) -> Bool {
    guard a.0 == b.0 else { return false }
    guard case .complete = a.0 else { return true }
    let fieldsAgree = a.1.fields.elementsEqual(b.1.fields) {
        $0.name == $1.name && $0.value == $1.value && $0.known == $1.known && $0.isDropped == $1.isDropped
    }
    return fieldsAgree && a.1.bytes == b.1.bytes && a.1.framing == b.1.framing && a.1.status == b.1.status
        && a.1.reason == b.1.reason && a.1.keepsAlive == b.1.keepsAlive
}

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    let bytes = Array(UnsafeBufferPointer(start: start, count: count))
    let whole = parse(bytes, cuts: [])
    let cut = bytes.reduce(0) { ($0 &* 31 &+ Int($1)) & 0xFFFF } % (count + 1)
    guard agree(parse(bytes, cuts: [cut]), whole) else { fatalError("cut at \(cut)") }
    if count < 200, !agree(parse(bytes, cuts: 0..<count), whole) { fatalError("byte by byte") }
    let lenient = parse(bytes, cuts: [], isLenient: true)
    guard agree(parse(bytes, cuts: [cut], isLenient: true), lenient) else { fatalError("lenient, cut at \(cut)") }
    if count < 200, !agree(parse(bytes, cuts: 0..<count, isLenient: true), lenient) { fatalError("lenient, byte by byte") }
    if case .complete = lenient.0, lenient.1.status < 600 {
        let again = parse(lenient.1.bytes, cuts: [])
        guard again.0 == .complete(byteCount: lenient.1.bytes.count), again.1.framing == lenient.1.framing else {
            fatalError("lenient is not strict: \(again.0)")
        }
    }
    guard case .complete = whole.0 else { return 0 }
    guard lenient.0 == whole.0, lenient.1.framing == whole.1.framing, lenient.1.status == whole.1.status else {
        fatalError("strict is not lenient: \(lenient.0)")
    }

    let head = whole.1
    let framing = ResponseFraming(
        received: head.framing, status: head.status, requestMethod: .get, version: .http11)
    var written = ByteBuffer()
    ResponseWriter.append(
        responseTo: &written, status: head.status, reason: head.bytes.span.extracting(head.reason.range), head: head,
        framing: framing, version: .http11, added: HeaderLines(), closes: false, date: "now".utf8.span)
    let out = written.array
    // Our own lines can carry the copy over a limit.
    guard out.count < FixedBounds.responseHeadBytes, head.fields.count < FixedBounds.responseFieldCount - 2 else {
        return 0
    }
    let again = parse(out, cuts: [])
    guard again.0 == .complete(byteCount: out.count) else { fatalError("written anew: \(again.0)") }
    let expected: BodyFraming = head.framing == .untilClose ? .chunked : head.framing
    guard again.1.framing == expected else { fatalError("written anew with \(again.1.framing)") }
    return 0
}
