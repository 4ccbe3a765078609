import Core

/// Brings a request path into the one spelling that routes are matched on (RFC 3986 §6.2.2), or refuses it.
///
/// Percent-encoded unreserved characters are decoded, once; the hexadecimal digits of other escapes become upper case;
/// empty segments are merged or refused. Dot segments, plain or encoded, are refused or removed by the policy; with
/// parameters behind them ("..;x", which some servers take for "..") they are always refused. So are encoded control
/// characters, and longer forms than UTF-8 has of characters with a meaning in paths. "%2F", "%5C" and other bytes that are no
/// UTF-8 are refused, or kept encoded within their segment. Visible characters that RFC 3986 has in no path are taken for their
/// percent-encodings.
package struct PathNormaliser: Sendable {
    /// What became of a path.
    package enum Outcome: Equatable, Sendable {
        /// It is in normal form already; nothing was written.
        case unchanged
        /// The normal form was written. `hasMoved` says that dot segments or empty segments were removed, so that the
        /// path as received leads somewhere else segment by segment.
        case rewritten(hasMoved: Bool)
        case refused(PathFault)
    }

    private let rules: PathRules

    package init(_ rules: PathRules) { self.rules = rules }

    /// Normalises `path`, which is empty or begins with "/". `output` is emptied and filled only when the path is
    /// rewritten.
    @inline(__always)
    package func normalise(_ path: Span<UInt8>, into output: inout [UInt8]) -> Outcome {
        var uses = PathUses()
        return normalise(path, into: &output, uses: &uses)
    }

    /// The same; adds to `uses` what the rules allow and others might not.
    @inline(__always)
    func normalise(_ path: Span<UInt8>, into output: inout [UInt8], uses: inout PathUses) -> Outcome {
        PathShape(path) == .odd ? rewrite(path, into: &output, uses: &uses) : .unchanged
    }

    /// Writes the path with its empty segments kept, in normal form otherwise. False where it has none, or is refused.
    func unmerge(_ path: Span<UInt8>, into output: inout [UInt8]) -> Bool {
        guard PathText.hasEmptySegment(path) else { return false }
        var uses = PathUses()
        switch rewrite(path, keepsEmpty: true, into: &output, uses: &uses) {
        case .unchanged, .rewritten: return true
        case .refused: return false
        }
    }

    /// The same for a path whose shape is odd.
    func rewrite(
        _ path: Span<UInt8>, keepsEmpty: Bool = false, into output: inout [UInt8], uses: inout PathUses
    ) -> Outcome {
        output.removeAll(keepingCapacity: true)
        if path.count == 0 {
            output.append(0x2F)
            return .rewritten(hasMoved: false)
        }
        guard path[0] == 0x2F else { return .refused(.escapeInvalid) }
        var hasMoved = false
        var index = 1
        while true {
            let end = path.firstIndex(of: 0x2F, from: index) ?? path.count
            let start = output.count
            output.append(0x2F)
            if let fault = appendSegment(path.extracting(index..<end), to: &output, uses: &uses) { return .refused(fault) }
            let isLast = end == path.count
            let length = output.count &- start &- 1
            if length == 0 {
                // A slash at the end is part of the path; any other empty segment is one too many.
                if !isLast { uses.insert(.emptySegments) }
                if !isLast, !keepsEmpty {
                    if rules.emptySegments == .reject { return .refused(.emptySegment) }
                    output.removeLast()
                    hasMoved = true
                }
            } else if let dots = Self.dots(output.span.extracting(start &+ 1..<output.count)) {
                guard rules.dotSegments == .remove, length == dots else { return .refused(.dotSegment) }
                uses.insert(.dotSegments)
                hasMoved = true
                guard Self.step(up: dots &- 1, from: start, in: &output) else { return .refused(.dotSegment) }
                if isLast { output.append(0x2F) }
            }
            if isLast { break }
            index = end &+ 1
        }
        if output.isEmpty { output.append(0x2F) }
        return output.span.equals(path) ? .unchanged : .rewritten(hasMoved: hasMoved)
    }

    /// Cuts `output` back to `start`, and by one more segment for ".."; false where there is none to cut.
    private static func step(up count: Int, from start: Int, in output: inout [UInt8]) -> Bool {
        output.removeLast(output.count &- start)
        guard count > 0 else { return true }
        guard let slash = output.lastIndex(of: 0x2F) else { return false }
        output.removeLast(output.count &- slash)
        return true
    }

    /// 1 for a segment "." and 2 for "..", parameters behind them left aside; nil for every other segment.
    private static func dots(_ segment: Span<UInt8>) -> Int? {
        var count = 0
        while count < segment.count, segment[count] == 0x2E { count &+= 1 }
        guard count == 1 || count == 2 else { return nil }
        let rest = segment.extracting(count..<segment.count)
        if rest.count == 0 || rest[0] == 0x3B { return count }
        // An encoded ";" is a parameter to servers that decode before they split.
        return rest.count >= 3 && rest[0] == 0x25 && rest[1] == 0x33 && rest[2] == 0x42 ? count : nil
    }

    /// Appends the normal form of one segment.
    private func appendSegment(_ segment: Span<UInt8>, to output: inout [UInt8], uses: inout PathUses) -> PathFault? {
        var sequence = UTF8Checker()
        var isUTF8 = true
        var index = 0
        while index < segment.count {
            let byte = segment[index]
            guard byte == 0x25 else {
                if !sequence.isComplete { (isUTF8, sequence) = (false, UTF8Checker()) }
                guard byte &- 0x21 <= 0x5D, byte != 0x5C else { return .escapeInvalid }
                if ByteClass.path.contains(byte) {
                    output.append(byte)
                } else {
                    output.append(percentEncoded: byte)
                }
                index &+= 1
                continue
            }
            guard index &+ 2 < segment.count, let high = segment[index &+ 1].hexDigit,
                let low = segment[index &+ 2].hexDigit
            else { return .escapeInvalid }
            let decoded = high << 4 | low
            if let fault = check(decoded, &uses) { return fault }
            if !sequence.accepts(decoded) {
                (isUTF8, sequence) = (false, UTF8Checker())
                // It may begin a character.
                if !sequence.accepts(decoded) { sequence = UTF8Checker() }
            }
            if decoded.isUnreservedInPath {
                output.append(decoded)
            } else {
                output.append(percentEncoded: decoded)
            }
            index &+= 3
        }
        return isUTF8 && sequence.isComplete ? nil : checkOctets(segment, &uses)
    }

    private func check(_ decoded: UInt8, _ uses: inout PathUses) -> PathFault? {
        if decoded < 0x20 || decoded == 0x7F { return .controlCharacter }
        guard decoded == 0x2F || decoded == 0x5C else { return nil }
        uses.insert(.encodedSlash)
        return rules.encodedSlash == .keep ? nil : .encodedSlash
    }

    /// What is wrong with a segment that is not UTF-8.
    private func checkOctets(_ segment: Span<UInt8>, _ uses: inout PathUses) -> PathFault? {
        guard rules.invalidUTF8 == .keep else { return .encodingInvalid }
        uses.insert(.invalidUTF8)
        var decoded: [UInt8] = []
        decoded.append(percentDecoding: segment)
        return OctetReading.hidesSyntax(decoded.span) ? .encodingInvalid : nil
    }
}

extension UInt8 {
    /// RFC 3986 §2.3.
    fileprivate var isUnreservedInPath: Bool {
        (self | 0x20) &- 0x61 < 26 || isDigit || self == 0x2D || self == 0x2E || self == 0x5F || self == 0x7E
    }
}

extension Array where Element == UInt8 {
    /// Appends `%XX` with upper-case digits.
    mutating func append(percentEncoded byte: UInt8) {
        append(0x25)
        append(upperHexDigit: byte >> 4)
        append(upperHexDigit: byte & 0xF)
    }

    private mutating func append(upperHexDigit value: UInt8) { append(value < 10 ? 0x30 &+ value : 0x37 &+ value) }

    /// Appends bytes with their percent-encodings decoded; a "%" without two digits stays as it is.
    mutating func append(percentDecoding bytes: Span<UInt8>) {
        var index = 0
        while index < bytes.count {
            if bytes[index] == 0x25, index &+ 2 < bytes.count, let high = bytes[index &+ 1].hexDigit,
                let low = bytes[index &+ 2].hexDigit
            {
                append(high << 4 | low)
                index &+= 3
            } else {
                append(bytes[index])
                index &+= 1
            }
        }
    }
}
