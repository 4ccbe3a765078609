import Core

/// Rewrites a head or a trailer section of an old upstream into one that the strict parsers take (RFC 9112 §2.2, §5.2; RFC 9110 §8.6).
///
/// Bare LF becomes CR LF, a folded line goes on behind a space, and a Content-Length that says the same again is left out. Everything
/// else stays as it is, for the strict parser to judge.
enum LenientSection {
    /// The length of the section with its empty line, from the first byte of `bytes`; nil while it is not all there.
    /// - Parameter position: how far a call before has looked: 0 at first.
    static func end(of bytes: Span<UInt8>, hasStartLine: Bool, from position: inout Int) -> Int? {
        if !hasStartLine, bytes.count > 0 {
            if bytes[0] == 0x0A { return 1 }
            if bytes[0] == 0x0D, bytes.count > 1, bytes[1] == 0x0A { return 2 }
        }
        var index = position
        while let feed = bytes.firstIndex(of: 0x0A, from: index) {
            if feed &+ 1 < bytes.count, bytes[feed &+ 1] == 0x0A { return feed &+ 2 }
            if feed &+ 2 < bytes.count, bytes[feed &+ 1] == 0x0D, bytes[feed &+ 2] == 0x0A { return feed &+ 3 }
            guard feed &+ 2 < bytes.count else {
                position = feed
                return nil
            }
            index = feed &+ 1
        }
        position = bytes.count
        return nil
    }

    /// Appends the rewritten section to `clean`. A fault where a fold hides something: an empty line, or a part of the framing.
    /// - Parameter section: a whole one, as `end` measures it.
    static func clean(_ section: Span<UInt8>, hasStartLine: Bool, into clean: inout [UInt8]) -> FieldFault? {
        var start = 0
        var isFirst = hasStartLine
        // Where the last field line begins in `clean`; nil before the first.
        var line: Int?
        var length: UInt64?
        while start < section.count {
            let feed = section.firstIndex(of: 0x0A, from: start) ?? section.count
            let end = feed > start && section[feed &- 1] == 0x0D ? feed &- 1 : feed
            let text = section.extracting(start..<end)
            start = feed &+ 1
            if text.count > 0, text[0].isOptionalWhitespace, let field = line {
                let rest = text.trimmed(0..<text.count)
                guard !rest.isEmpty, !isFraming(clean.span.extracting(field..<clean.count)) else { return .lineFolded }
                clean.removeLast(2)
                while let last = clean.last, last.isOptionalWhitespace { clean.removeLast() }
                clean.append(0x20)
                clean.append(contentsOf: text.extracting(rest))
                clean.append("\r\n")
                continue
            }
            if !isFirst, let again = contentLength(text) {
                if again == length {
                    line = nil
                    continue
                }
                if length == nil {
                    length = again
                    line = clean.count
                    clean.append("Content-Length: ")
                    clean.append(decimal: again)
                    clean.append("\r\n")
                    continue
                }
            }
            if !isFirst { line = clean.count }
            isFirst = false
            clean.append(contentsOf: text)
            clean.append("\r\n")
        }
        return nil
    }

    /// The line is of a field that decides where the message ends.
    private static func isFraming(_ line: Span<UInt8>) -> Bool {
        guard let colon = line.firstIndex(of: 0x3A) else { return false }
        let name = line.extracting(line.trimmed(0..<colon))
        return name.equalsIgnoringCase("content-length") || name.equalsIgnoringCase("transfer-encoding")
    }

    /// What a Content-Length says, also as a list of one number again and again; nil for other fields, and for anything else.
    private static func contentLength(_ line: Span<UInt8>) -> UInt64? {
        guard let colon = line.firstIndex(of: 0x3A), line.extracting(0..<colon).equalsIgnoringCase("content-length") else { return nil }
        var length: UInt64?
        var start = colon &+ 1
        while start <= line.count {
            let end = line.firstIndex(of: 0x2C, from: start) ?? line.count
            let element = line.extracting(line.trimmed(start..<end))
            guard let number = element.contentLength, length == nil || length == number else { return nil }
            length = number
            start = end &+ 1
        }
        return length
    }
}
