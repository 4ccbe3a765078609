/// What a chunked body yields next.
package enum ChunkPiece: Equatable, Sendable {
    /// Content: a range of the bytes presented.
    case body(Range<Int>)
    /// The body is whole, its trailer section read.
    case end
}
