/// What an author probably did wrong where a text is not JSON, and where: the place of the mistake, which the parser only
/// notices at the next token. For messages alone; nothing is accepted because of it.
package struct JSONMistake: Equatable, Sendable {
    /// One line, without the position.
    package var message: String
    package var position: SourcePosition

    /// - Parameters:
    ///   - error: what the parser says of this text.
    ///   - bytes: the whole text that was parsed.
    package init(_ error: JSONError, in bytes: Span<UInt8>) {
        var survey = JSONSurvey(bytes, until: error.position)
        self = survey.mistake(error, bytes) ?? JSONMistake(error.message, at: error.position)
    }

    init(_ message: String, at position: SourcePosition) {
        self.message = message
        self.position = position
    }
}

/// A malformed text up to its fault: what is open there, and what stands around it. All before the fault is JSON.
struct JSONSurvey {
    struct Opening {
        var byte: UInt8
        var offset: Int
        var indentation: Int
    }

    /// Offset of the fault.
    let fault: Int
    /// What is open at the fault, the outermost first.
    private(set) var open: [Opening] = []
    /// The opening quotation mark of a string that the fault is in.
    private(set) var openString: Int?
    /// The first bracket whose closing one is indented otherwise than its own line: probably one of another.
    private(set) var misaligned: Opening?
    /// Offset of the last byte before the fault that is not white space; -1 for none.
    private(set) var last = -1
    private var lineStarts = [0]

    init(_ bytes: Span<UInt8>, until position: SourcePosition) {
        var line = 1
        var start = 0
        while line < position.line, start < bytes.count {
            if bytes[start] == 0x0A { line += 1 }
            start += 1
        }
        fault = min(start + position.column - 1, bytes.count)
        scan(bytes)
    }

    private mutating func scan(_ bytes: Span<UInt8>) {
        var index = 0
        var lineStart = 0
        var indentation = 0
        var isAtStart = true
        while index < fault {
            let byte = bytes[index]
            if byte == 0x0A {
                (lineStart, isAtStart) = (index + 1, true)
                lineStarts.append(lineStart)
            } else if !byte.isJSONSpace {
                if isAtStart { indentation = index - lineStart }
                last = index
                if byte == 0x22 {
                    index = scanString(bytes, from: index)
                } else if byte == 0x7B || byte == 0x5B {
                    open.append(Opening(byte: byte, offset: index, indentation: indentation))
                } else if byte == 0x7D || byte == 0x5D, let opening = open.popLast() {
                    if isAtStart, indentation != opening.indentation, misaligned == nil { misaligned = opening }
                }
                isAtStart = false
            }
            index += 1
        }
    }

    /// Returns the offset of the closing quotation mark, or the fault where there is none before it.
    private mutating func scanString(_ bytes: Span<UInt8>, from start: Int) -> Int {
        var index = start + 1
        while index < fault {
            if bytes[index] == 0x22 {
                last = index
                return index
            }
            index += bytes[index] == 0x5C ? 2 : 1
        }
        openString = start
        return fault
    }

    func position(_ offset: Int) -> SourcePosition {
        let line = lineStarts.lastIndex { $0 <= offset } ?? 0
        return SourcePosition(line: line + 1, column: offset - lineStarts[line] + 1)
    }

    /// "line 3, column 5".
    func place(_ offset: Int) -> String {
        let position = position(offset)
        return "line \(position.line), column \(position.column)"
    }

    /// The last byte before the fault that is not white space.
    func lastByte(_ bytes: Span<UInt8>) -> UInt8? { last < 0 ? nil : bytes[last] }

    /// The run of bytes around an offset that has neither white space nor what separates values, as text of at most 40 bytes.
    /// It is quoted in messages: controls become "?".
    func word(_ bytes: Span<UInt8>, around offset: Int, isColonIncluded: Bool = false) -> (text: String, start: Int) {
        func ends(_ byte: UInt8) -> Bool {
            byte.isJSONSpace || [0x2C, 0x5B, 0x5D, 0x7B, 0x7D, 0x22].contains(byte) || byte == 0x3A && !isColonIncluded
        }
        var start = offset
        while start > 0, offset - start < 40, !ends(bytes[start - 1]) { start -= 1 }
        var end = offset
        while end < bytes.count, end - start < 40, !ends(bytes[end]) { end += 1 }
        var text: [UInt8] = []
        for index in start..<end { text.append(bytes[index] > 0x20 && bytes[index] < 0x7F ? bytes[index] : 0x3F) }
        return (String(decoding: text, as: UTF8.self), start)
    }

    /// Whether the bytes at an offset are these.
    func has(_ text: StaticString, _ bytes: Span<UInt8>, at offset: Int) -> Bool {
        let end = offset + text.utf8CodeUnitCount
        return end <= bytes.count && bytes.extracting(offset..<end).equals(text)
    }
}

extension UInt8 {
    var isJSONSpace: Bool { self == 0x20 || self == 0x0A || self == 0x0D || self == 0x09 }
}
