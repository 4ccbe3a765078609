extension Array where Element == UInt8 {
    /// Appends bytes as a JSON string in quotation marks. Display hazards are escaped, so that a line stays one line whatever shows
    /// it; what is not UTF-8 becomes U+FFFD, one for each maximal ill-formed part, so that the output is JSON whatever a peer sent.
    package mutating func append(jsonString bytes: Span<UInt8>) {
        append(0x22)
        var start = 0
        var index = bytes.endOfPlainText(from: 0)
        while index < bytes.count {
            let sequence = bytes.utf8Sequence(at: index)
            let isASCII = bytes[index] < 0x80
            let hazard = isASCII || !sequence.isWellFormed ? nil : bytes.displayHazard(at: index, length: sequence.length)
            if isASCII || !sequence.isWellFormed || hazard != nil {
                append(contentsOf: bytes.extracting(start..<index))
                if isASCII {
                    append(jsonEscapeOf: bytes[index])
                } else if let hazard {
                    append("\\u")
                    append(hexadecimal: UInt8(truncatingIfNeeded: hazard >> 8))
                    append(hexadecimal: UInt8(truncatingIfNeeded: hazard))
                } else {
                    append("\u{FFFD}")
                }
                start = index &+ sequence.length
            }
            index = bytes.endOfPlainText(from: index &+ sequence.length)
        }
        append(contentsOf: bytes.extracting(start..<index))
        append(0x22)
    }

    package mutating func append(jsonString text: String) {
        append(jsonString: text.utf8.span)
    }

    /// Appends a node as JSON text without white space; numbers as they were written.
    ///
    /// The call depth is that of the node, which for one that was read is bounded by the reader's depth limit.
    package mutating func append(json node: JSONNode) {
        switch node.value {
        case .null: append("null")
        case .bool(let value): value ? append("true") : append("false")
        case .number(let number): append(contentsOf: number.text.utf8.span)
        case .string(let text): append(jsonString: text)
        case .array(let elements):
            append(0x5B)
            for index in elements.indices {
                if index > 0 { append(0x2C) }
                append(json: elements[index])
            }
            append(0x5D)
        case .object(let members):
            append(0x7B)
            for index in members.indices {
                if index > 0 { append(0x2C) }
                append(jsonString: members[index].name)
                append(0x3A)
                append(json: members[index].node)
            }
            append(0x7D)
        }
    }

    /// Appends the escape of a quotation mark, a backslash or a control character.
    private mutating func append(jsonEscapeOf byte: UInt8) {
        switch byte {
        case 0x22, 0x5C:
            append(0x5C)
            append(byte)
        case 0x08: append("\\b")
        case 0x09: append("\\t")
        case 0x0A: append("\\n")
        case 0x0C: append("\\f")
        case 0x0D: append("\\r")
        default:
            append("\\u00")
            append(hexadecimal: byte)
        }
    }
}

extension Span where Element == UInt8 {
    /// The value of a well-formed sequence of two or three bytes, where that is a display hazard.
    fileprivate func displayHazard(at index: Int, length: Int) -> UInt32? {
        let value: UInt32
        switch length {
        case 2: value = UInt32(self[index] & 0x1F) << 6 | UInt32(self[index &+ 1] & 0x3F)
        case 3:
            value = UInt32(self[index] & 0x0F) << 12 | UInt32(self[index &+ 1] & 0x3F) << 6 | UInt32(self[index &+ 2] & 0x3F)
        default: return nil
        }
        guard let scalar = Unicode.Scalar(value), scalar.isDisplayHazard else { return nil }
        return value
    }
}
