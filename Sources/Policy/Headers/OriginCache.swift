import Core

/// The lines that tell upstreams of the connection a request came over, as they were written last: the requests of one
/// client differ in nothing that these lines say. Bounded: a client has one place, and who comes there next takes it
/// over.
struct OriginCache {
    /// What the lines are made of.
    struct Origin {
        let peer: IPAddress
        let localPort: UInt16
        let isSecure: Bool
        let version: HTTPVersion
    }

    private struct Slot {
        var origin: Origin
        /// Host and port the request is for: parsing admits no long ones.
        var authority: [UInt8] = []
        /// As `HeaderLines.wireForm` has them; empty in a place that nobody has taken.
        var lines: [UInt8] = []

        @inline(__always)
        func holds(_ other: Origin, _ authority: Span<UInt8>) -> Bool {
            peerIsSame(other) && self.authority.span.equals(authority) && !lines.isEmpty
        }

        @inline(__always)
        func append(to output: inout HeaderLines) { output.append(wireForm: lines.span) }

        @inline(__always)
        private func peerIsSame(_ other: Origin) -> Bool {
            origin.peer.low == other.peer.low && origin.peer.high == other.peer.high
                && origin.peer.family == other.peer.family && origin.localPort == other.localPort
                && origin.isSecure == other.isSecure && origin.version == other.version
        }
    }

    private var slots: [Slot] = []
    /// Whose lines these are.
    private var author: ForwardingFields?

    /// Adds the lines of an origin, remembered or written by `write`.
    @inline(__always)
    mutating func append(
        _ origin: Origin, authority: Span<UInt8>, by author: ForwardingFields, to lines: inout HeaderLines,
        write: (inout HeaderLines) -> Void
    ) {
        if self.author !== author { begin(author, origin) }
        let word = origin.peer.low ^ origin.peer.high ^ UInt64(truncatingIfNeeded: authority.count) << 32
        let place = Int(truncatingIfNeeded: (word &* 0xD6E8_FEB8_6659_FD93) >> 40) & (slots.count &- 1)
        if !slots[place].holds(origin, authority) {
            var written = HeaderLines()
            write(&written)
            slots[place] = Slot(origin: origin, authority: authority.copied(), lines: written.wireForm)
        }
        slots[place].append(to: &lines)
    }

    private mutating func begin(_ author: ForwardingFields, _ origin: Origin) {
        self.author = author
        slots = Array(repeating: Slot(origin: origin), count: FixedBounds.originCacheEntries)
    }
}
