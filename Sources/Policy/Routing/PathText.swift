import Core

/// Writes what a server that reads a path in one certain way takes it for: decoded, slashes between segments, dot segments
/// resolved. One pass over the path.
struct PathText {
    /// How the path is read.
    struct Form: Equatable {
        /// How often percent-encodings are decoded: once or twice.
        var rounds = 1
        /// `;` and what follows it in its segment is cut where it shows after so many decodings; -1 cuts nothing.
        var cut = -1
        /// Slashes and backslashes that show after so many decodings, or more, are slashes; `noSlashes` for none.
        var slashes = Self.noSlashes
        /// Dots and spaces at the end of segments are cut.
        var trims = false
        /// Empty segments are left out.
        var merges = false
        /// The first segment that is not empty is an authority, and no part of the path. URL parsers of browsers take any
        /// number of slashes before it for two.
        var cutsAuthority = false
        /// What bytes are that are not UTF-8; nil takes them as they are.
        var octets: OctetReading?

        static let noSlashes = 3
    }

    /// A character of a path: what it is once decoded, how long it is encoded, and how often it has to be decoded.
    struct Character {
        var byte: UInt8
        var width: Int
        var depth: Int
    }

    /// In place of a slash that is part of a segment. No segment has this byte otherwise: `%00` is refused.
    static let slashMark: UInt8 = 0

    /// The path is in normal form, so that every "%" has its digits.
    @inline(__always)
    static func character(_ path: Span<UInt8>, at index: Int, rounds: Int) -> Character {
        let byte = path[index]
        guard byte == 0x25, let first = escaped(path, at: index &+ 1) else { return Character(byte: byte, width: 1, depth: 0) }
        guard rounds > 1, first == 0x25, let second = escaped(path, at: index &+ 3) else {
            return Character(byte: first, width: 3, depth: 1)
        }
        return Character(byte: second, width: 5, depth: 2)
    }

    @inline(__always)
    private static func escaped(_ path: Span<UInt8>, at index: Int) -> UInt8? {
        guard index &+ 1 < path.count, let high = path[index].hexDigit, let low = path[index &+ 1].hexDigit else { return nil }
        return high << 4 | low
    }

    /// What a text had before it was resolved.
    struct Findings {
        /// An empty segment that is not the last; the first of all was one.
        var hasEmptySegment = false
        var beginsWithOne = false
        /// A dot segment was resolved.
        var hasDotSegment = false
        fileprivate var isPastFirst = false
    }

    /// Fills `text`. The path begins with "/".
    @discardableResult
    static func write(_ path: Span<UInt8>, _ form: Form, to text: inout [UInt8]) -> Findings {
        var findings = Findings()
        var form = form
        text.removeAll(keepingCapacity: true)
        var start = 0
        var index = 1
        text.append(0x2F)
        while index < path.count {
            let character = character(path, at: index, rounds: form.rounds)
            index &+= character.width
            if isSlash(character, form) {
                form.octets?.apply(from: start &+ 1, to: &text)
                if text.count == start &+ 1 {
                    findings.hasEmptySegment = true
                    if !findings.isPastFirst { findings.beginsWithOne = true }
                }
                findings.isPastFirst = true
                if close(start, &form, isLast: false, &text) { findings.hasDotSegment = true }
                start = text.count
                text.append(0x2F)
            } else if character.byte == 0x3B, character.depth <= form.cut {
                while index < path.count {
                    let next = Self.character(path, at: index, rounds: form.rounds)
                    if isSlash(next, form), next.depth <= form.cut { break }
                    index &+= next.width
                }
            } else {
                text.append(character.byte == 0x2F ? slashMark : character.byte)
            }
        }
        form.octets?.apply(from: start &+ 1, to: &text)
        if close(start, &form, isLast: true, &text) { findings.hasDotSegment = true }
        if text.isEmpty { text.append(0x2F) }
        return findings
    }

    @inline(__always)
    static func isSlash(_ character: Character, _ form: Form) -> Bool {
        if character.depth == 0 { return character.byte == 0x2F }
        return character.depth >= form.slashes && (character.byte == 0x2F || character.byte == 0x5C)
    }

    /// Ends the segment whose slash is at `start`; true when it was a dot segment.
    private static func close(_ start: Int, _ form: inout Form, isLast: Bool, _ text: inout [UInt8]) -> Bool {
        if form.cutsAuthority {
            form.cutsAuthority = text.count == start &+ 1
            text.removeAll(keepingCapacity: true)
            return false
        }
        if form.trims { trim(start &+ 1, &text) }
        let count = text.count &- start &- 1
        if count == 0 {
            if form.merges, !isLast { text.removeLast() }
            return false
        }
        guard count <= 2, text[start &+ 1] == 0x2E, text[text.count &- 1] == 0x2E else { return false }
        text.removeLast(count &+ 1)
        if count == 2, let slash = text.lastIndex(of: 0x2F) { text.removeLast(text.count &- slash) }
        if isLast { text.append(0x2F) }
        return true
    }

    /// A segment of nothing else loses its spaces only: dots alone are another segment.
    private static func trim(_ start: Int, _ text: inout [UInt8]) {
        var end = text.count
        while end > start, text[end &- 1] == 0x2E || text[end &- 1] == 0x20 { end &-= 1 }
        if end == start {
            end = text.count
            while end > start &+ 1, text[end &- 1] == 0x20 { end &-= 1 }
        }
        text.removeLast(text.count &- end)
    }

    /// The path is UTF-8 when its percent-encodings are decoded once. In normal form it is ASCII otherwise.
    static func isUTF8(_ path: Span<UInt8>) -> Bool {
        var sequence = UTF8Checker()
        var index = 0
        while index < path.count {
            let character = character(path, at: index, rounds: 1)
            guard sequence.accepts(character.byte) else { return false }
            index &+= character.width
        }
        return sequence.isComplete
    }

    static func hasEmptySegment(_ text: Span<UInt8>) -> Bool {
        var previous: UInt8 = 0
        for index in text.indices {
            if previous == 0x2F, text[index] == 0x2F { return true }
            previous = text[index]
        }
        return false
    }
}
