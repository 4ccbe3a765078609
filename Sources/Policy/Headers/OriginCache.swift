import Core

/// The lines that tell upstreams of the connection a request came over, as they were written last: the requests of one
/// client differ in nothing that these lines say. Bounded: a client has one place, and who comes there next takes it
/// over.
struct OriginCache {
    /// What the lines are made of.
    struct Origin {
        let peer: IPAddress
        let isSecure: Bool
        let version: HTTPVersion
    }

    private final class Entry: Sendable {
        private let origin: Origin
        /// Host and port the request is for: parsing admits no long ones.
        private let authority: LentBytes
        /// As `HeaderLines.wireForm` has them.
        private let lines: LentBytes

        init(_ origin: Origin, authority: Span<UInt8>, lines: [UInt8]) {
            self.origin = origin
            self.authority = LentBytes(bytes: authority.copied())
            self.lines = LentBytes(bytes: lines)
        }

        @inline(__always)
        func isOf(_ other: Origin, _ authority: Span<UInt8>) -> Bool {
            origin.peer.low == other.peer.low && origin.peer.high == other.peer.high
                && origin.peer.family.rawValue == other.peer.family.rawValue
                && origin.isSecure == other.isSecure && origin.version == other.version
                && self.authority.equal(authority)
        }

        @inline(__always)
        func append(to output: inout HeaderLines) { lines.append(to: &output) }
    }

    private var entries: [Entry?] = []
    /// Whose lines these are.
    private var author: ForwardingFields?

    /// Adds the lines of an origin, remembered or written by `write`.
    @inline(__always)
    mutating func append(
        _ origin: Origin, authority: Span<UInt8>, by author: ForwardingFields, to lines: inout HeaderLines,
        write: (inout HeaderLines) -> Void
    ) {
        if self.author !== author { begin(author) }
        let word = origin.peer.low ^ origin.peer.high ^ UInt64(truncatingIfNeeded: authority.count) << 32
        let place = Int(truncatingIfNeeded: (word &* 0xD6E8_FEB8_6659_FD93) >> 40) & (entries.count &- 1)
        if let entry = entries[place], entry.isOf(origin, authority) {
            entry.append(to: &lines)
            return
        }
        var written = HeaderLines()
        write(&written)
        entries[place] = Entry(origin, authority: authority, lines: written.wireForm)
        lines.append(contentsOf: written)
    }

    private mutating func begin(_ author: ForwardingFields) {
        self.author = author
        entries = Array(repeating: nil, count: FixedBounds.originCacheEntries)
    }
}
