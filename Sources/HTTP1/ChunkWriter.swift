package import Core

/// Writes chunked content (RFC 9112 §7.1). A chunk is its size line, its content, and `append(chunkEndTo:)`.
package enum ChunkWriter {
    /// Appends the size line of a chunk of `count` bytes. Nothing for 0, which would end the body.
    package static func append(sizeTo out: inout ByteBuffer, count: Int) {
        guard count > 0 else { return }
        var shift = (Int.bitWidth &- 1 &- count.leadingZeroBitCount) & ~3
        while shift >= 0 {
            let digit = UInt8(truncatingIfNeeded: count &>> shift) & 0x0F
            out.append(digit < 10 ? 0x30 &+ digit : 0x57 &+ digit)
            shift &-= 4
        }
        out.append("\r\n")
    }

    /// Appends what follows the content of a chunk.
    package static func append(chunkEndTo out: inout ByteBuffer) { out.append("\r\n") }

    /// Appends a whole chunk; nothing for empty content.
    package static func append(chunkTo out: inout ByteBuffer, content: Span<UInt8>) {
        guard !content.isEmpty else { return }
        append(sizeTo: &out, count: content.count)
        out.append(contentsOf: content)
        append(chunkEndTo: &out)
    }

    /// Appends the last chunk and the trailer lines that are not dropped.
    package static func append(lastChunkTo out: inout ByteBuffer, trailers: TrailerSection) {
        out.append("0\r\n")
        out.append(passing: trailers.fields, of: trailers.bytes.span) { !$0.isDropped }
        out.append("\r\n")
    }
}
