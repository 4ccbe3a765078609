import Core
import HTTP1
import Testing

@Suite struct ChunkWriterTests {
    @Test(arguments: [1, 9, 10, 15, 16, 255, 256, 4096, 65_535, 1 << 40, .max])
    func `a size is written in hexadecimal without zeros before it`(_ count: Int) {
        var out = ByteBuffer()
        ChunkWriter.append(sizeTo: &out, count: count)
        #expect(String(decoding: out.array, as: UTF8.self) == String(count, radix: 16) + "\r\n")
    }

    @Test func `nothing is written for content that is empty, since a chunk of 0 ends the body`() {
        var out = ByteBuffer()
        ChunkWriter.append(sizeTo: &out, count: 0)
        ChunkWriter.append(chunkTo: &out, content: [UInt8]().span)
        #expect(out.array == [])
    }

    @Test func `what is written decodes to the same content and the trailers that pass`() {
        let received = ChunkedBody(bytes("0\r\nA: 1\r\nHost: h\r\nB: 2\r\n\r\n"))
        var out = ByteBuffer()
        for piece in ["hello", "", " world"] { ChunkWriter.append(chunkTo: &out, content: piece.utf8.span) }
        ChunkWriter.append(lastChunkTo: &out, trailers: received.trailers)
        let expected = "5\r\nhello\r\n6\r\n world\r\n0\r\nA: 1\r\nB: 2\r\n\r\n"
        #expect(String(decoding: out.array, as: UTF8.self) == expected)
        #expect(ChunkedBody(out.array).ending == .whole(byteCount: out.count))
    }
}
