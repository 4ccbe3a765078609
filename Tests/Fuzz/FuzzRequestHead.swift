// modules: Core HTTP1
// Any bytes as a request head: no trap; the same outcome however they are cut; what passes is sound and, written anew,
// has the same framing.

import Core
import HTTP1

struct Outcome {
    var progress = HeadProgress.incomplete
    var head = RequestHead()

    init(_ bytes: [UInt8], cuts: some Sequence<Int>) {
        var parser = RequestHeadParser()
        for cut in Array(cuts) + [bytes.count] {
            progress = parser.parse(bytes.span.extracting(0..<cut), bounds: Bounds(), into: &head)
            if progress != .incomplete { return }
        }
    }

    func agrees(with other: Outcome) -> Bool {
        guard progress == other.progress else { return false }
        guard case .complete = progress else { return true }
        let a = head
        let b = other.head
        let fieldsAgree = a.fields.elementsEqual(b.fields) {
            $0.name == $1.name && $0.value == $1.value && $0.known == $1.known && $0.isDropped == $1.isDropped
        }
        return fieldsAgree && a.bytes == b.bytes && a.framing == b.framing && a.target == b.target && a.path == b.path
            && a.query == b.query && a.authority == b.authority && a.keepsAlive == b.keepsAlive
    }
}

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    let bytes = Array(UnsafeBufferPointer(start: start, count: count))
    let whole = Outcome(bytes, cuts: [])
    let cut = bytes.reduce(0) { ($0 &* 31 &+ Int($1)) & 0xFFFF } % (count + 1)
    guard Outcome(bytes, cuts: [cut]).agrees(with: whole) else { fatalError("cut at \(cut)") }
    if count < 200, !Outcome(bytes, cuts: 0..<count).agrees(with: whole) { fatalError("byte by byte") }
    guard case .complete(let consumed) = whole.progress else { return 0 }
    guard consumed <= count else { fatalError("consumed more than there was") }

    let head = whole.head
    for line in head.fields {
        for byte in head.bytes[line.name.range] + head.bytes[line.value.range] where byte < 0x20 && byte != 0x09 {
            fatalError("a control passed")
        }
    }
    guard !head.authority.isEmpty else { return 0 }
    var written = ByteBuffer()
    let received = head.bytes.span
    RequestWriter.append(
        requestTo: &written, head: head, target: received.extracting(head.target.range),
        host: received.extracting(head.authority.range), framing: head.framing, added: HeaderLines())
    let out = written.array
    // A longer Content-Length line or the missing Host line can carry the copy over a limit.
    var bounds = Bounds()
    bounds.headByteLimit = .max
    bounds.fieldCountLimit = .max
    var parser = RequestHeadParser()
    var again = RequestHead()
    let progress = parser.parse(out.span, bounds: bounds, into: &again)
    guard progress == .complete(byteCount: out.count), again.framing == head.framing else {
        fatalError("written anew: \(progress)")
    }
    return 0
}
