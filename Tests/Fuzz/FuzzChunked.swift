// modules: Core HTTP1
// Any bytes as a chunked body: no trap; the same content, trailers and end however they are cut; nothing beyond the
// bounds.

import Core
import HTTP1

struct Outcome: Equatable {
    var content: [UInt8] = []
    var trailers: [UInt8] = []
    var lines = 0
    var consumed: Int?
    var fault: FramingFault?

    init(_ bytes: [UInt8], cuts: some Sequence<Int>, isLenient: Bool = false) {
        var decoder = ChunkedDecoder(isLenient: isLenient)
        var start = 0
        do {
            for cut in Array(cuts) + [bytes.count] {
                let piece = Array(bytes[start..<cut])
                var index = 0
                while let event = try decoder.next(piece.span, from: &index) {
                    switch event {
                    case .body(let range): content += piece[range]
                    case .end:
                        consumed = start + index
                        trailers = decoder.trailers.bytes
                        lines = decoder.trailers.fields.count
                        return
                    }
                }
                guard index == piece.count else { fatalError("bytes left over") }
                start = cut
            }
        } catch {
            fault = error
        }
    }
}

extension Outcome {
    /// The same content, end and number of trailers; a lenient reader writes blanks of trailers anew.
    func frames(as other: Outcome) -> Bool {
        content == other.content && consumed == other.consumed && lines == other.lines && fault == nil
    }
}

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    let bytes = Array(UnsafeBufferPointer(start: start, count: count))
    let whole = Outcome(bytes, cuts: [])
    let cut = bytes.reduce(0) { ($0 &* 31 &+ Int($1)) & 0xFFFF } % (count + 1)
    guard Outcome(bytes, cuts: [cut]) == whole else { fatalError("cut at \(cut)") }
    if count < 200, Outcome(bytes, cuts: 0..<count) != whole { fatalError("byte by byte") }
    let lenient = Outcome(bytes, cuts: [], isLenient: true)
    guard Outcome(bytes, cuts: [cut], isLenient: true) == lenient else { fatalError("lenient, cut at \(cut)") }
    if count < 200, Outcome(bytes, cuts: 0..<count, isLenient: true) != lenient { fatalError("lenient, byte by byte") }
    guard whole.consumed == nil || lenient.frames(as: whole) else { fatalError("strict is not lenient") }
    guard whole.trailers.count <= FixedBounds.trailerBytes else { fatalError("trailers beyond their bound") }
    return 0
}
