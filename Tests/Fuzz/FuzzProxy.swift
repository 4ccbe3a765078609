// modules: Core HTTP1
// Any bytes as a PROXY header: no trap; a verdict, once given, is not changed by bytes behind it, and comes within the
// bound.

import Core
import HTTP1

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    let bytes = Array(UnsafeBufferPointer(start: start, count: count))
    let whole = ProxyProtocolParser.parse(bytes.span)
    if case .complete(_, let consumed) = whole, consumed > count { fatalError("consumed more than there was") }
    if whole == .incomplete, count >= FixedBounds.proxyHeaderBytes { fatalError("unbounded") }
    for cut in 0..<Swift.min(count, 300) {
        let part = ProxyProtocolParser.parse(bytes.span.extracting(0..<cut))
        guard part == .incomplete || part == whole else { fatalError("cut at \(cut): \(part), then \(whole)") }
    }
    return 0
}
