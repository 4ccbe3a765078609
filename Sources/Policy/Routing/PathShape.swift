import Core

/// What a look at the bytes of a path says of it, without changing it: which paths need a second look at all.
enum PathShape: Sendable {
    /// In normal form, and every server reads it alike.
    case plain
    /// The same but for upper-case letters.
    case cased
    /// Any other path: it is to be normalized, and may have several readings.
    case odd

    /// One pass, eight bytes at a time. Plain is a path of RFC 3986's characters without "%" and ";", none of whose segments
    /// is empty, begins with a dot or ends in one.
    @inline(__always)
    init(_ path: Span<UInt8>) {
        guard path.count > 0, path[0] == 0x2F, path[path.count &- 1] != 0x2E else {
            self = .odd
            return
        }
        var (odd, capitals, slashBefore, dotBefore): (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)
        var index = 0
        while index < path.count {
            let word = path.filledWord(at: index)
            let slashes = word.equalling(0x2F)
            let dots = word.equalling(0x2E)
            odd |= (slashes &<< 8 | slashBefore) & (slashes | dots) | (dots &<< 8 | dotBefore) & slashes
            slashBefore = slashes &>> 56
            dotBefore = dots &>> 56
            capitals |= word ^ word.lowercasedASCII
            let rest = path.count &- index
            // Bytes beyond the end are zeros.
            let inside = rest >= 8 ? UInt64.max : UInt64.max &>> UInt64(truncatingIfNeeded: (8 &- rest) &* 8)
            if word.outsidePaths & inside != 0 {
                odd |= (word.outsideTargets | word.equalling(0x25) | word.equalling(0x3B)) & inside
                for place in index..<Swift.min(index &+ 8, path.count) where !ByteClass.path.contains(path[place]) { odd = 1 }
            }
            index &+= 8
        }
        self = odd != 0 ? .odd : capitals != 0 ? .cased : .plain
    }
}
