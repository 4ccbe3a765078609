import Core

/// The segments of a path: what stands between its slashes.
enum PathSegments {
    /// The bytes of segment `number`, counted from 0; an empty range where the path has fewer.
    static func range(of number: Int, in path: Span<UInt8>) -> Range<Int> {
        var start = 1
        for _ in 0..<number {
            guard let slash = path.firstIndex(of: 0x2F, from: start) else { return path.count..<path.count }
            start = slash &+ 1
        }
        guard start <= path.count else { return path.count..<path.count }
        return start..<(path.firstIndex(of: 0x2F, from: start) ?? path.count)
    }
}
