// modules: Core
// files: Sources/Gateway/Tunnels/WebSocketBoundary.swift
// Any bytes as one direction of a WebSocket: no trap; boundaries where a reader of whole frames finds them, however the
// bytes are cut; what is lost stays lost.

import Core

/// Where frames end, as found by looking at all the bytes at once (RFC 6455 §5.2).
struct Frames {
    var ends: [Int] = []
    var isLost = false
    var hasClosed = false
    /// Behind the last frame nothing has begun.
    var endsWhole = true

    init(_ bytes: [UInt8]) {
        var start = 0
        while start < bytes.count {
            endsWhole = false
            guard start + 2 <= bytes.count else { return }
            let (opcode, short) = (bytes[start] & 0x0F, Int(bytes[start + 1] & 0x7F))
            if opcode >= 8, short > 125 {
                isLost = true
                return
            }
            let lengthBytes = short == 126 ? 2 : short == 127 ? 8 : 0
            var length = lengthBytes == 0 ? UInt64(short) : 0
            for index in start + 2..<start + 2 + lengthBytes {
                guard index < bytes.count else { return }
                length = length << 8 | UInt64(bytes[index])
            }
            if length > UInt64(Int64.max) {
                isLost = true
                return
            }
            let header = 2 + lengthBytes + (bytes[start + 1] & 0x80 == 0 ? 0 : 4)
            guard start + header <= bytes.count, length <= UInt64(bytes.count - start - header) else { return }
            start += header + Int(length)
            if opcode == 8 { hasClosed = true }
            endsWhole = true
            ends.append(start)
        }
    }
}

/// Follows `bytes` in the pieces that end at `cuts`.
func follow(_ bytes: [UInt8], cuts: some Sequence<Int>) -> WebSocketBoundary {
    var boundary = WebSocketBoundary()
    var start = 0
    for cut in Array(cuts) + [bytes.count] {
        let wasLost = boundary.isLost
        guard boundary.advance(over: bytes.span.extracting(start..<cut)) == cut - start else { fatalError("bytes left over") }
        guard boundary.isLost || !wasLost else { fatalError("found again") }
        start = cut
    }
    return boundary
}

func check(_ boundary: WebSocketBoundary, _ frames: Frames, _ what: StaticString) {
    guard boundary.isLost == frames.isLost, boundary.hasClosed == frames.hasClosed,
        boundary.isAtBoundary == (frames.endsWhole && !frames.isLost)
    else { fatalError("\(what)") }
}

/// From `cut` on, goes only up to the boundary that follows.
func stop(_ bytes: [UInt8], behind cut: Int, _ frames: Frames) {
    var boundary = follow(Array(bytes.prefix(cut)), cuts: [])
    guard !boundary.isLost else { return }
    let count = boundary.advance(over: bytes.span.extracting(cut..<bytes.count), stopsAtBoundary: true)
    let expected = cut == 0 ? 0 : frames.ends.first { $0 >= cut } ?? bytes.count
    guard cut + count == expected else { fatalError("stopped at \(cut + count), not \(expected)") }
}

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    let bytes = Array(UnsafeBufferPointer(start: start, count: count))
    let frames = Frames(bytes)
    check(follow(bytes, cuts: []), frames, "whole")
    let cut = bytes.reduce(0) { ($0 &* 31 &+ Int($1)) & 0xFFFF } % (count + 1)
    check(follow(bytes, cuts: [cut]), frames, "cut")
    if count < 400 { check(follow(bytes, cuts: 0..<count), frames, "byte by byte") }
    stop(bytes, behind: cut, frames)
    return 0
}
