/// The mistakes that people make in JSON, by what the parser found.
extension JSONSurvey {
    /// Nil where nothing better can be said than the parser did.
    mutating func mistake(_ error: JSONError, _ bytes: Span<UInt8>) -> JSONMistake? {
        switch error.reason {
        case .unexpectedEnd: end(bytes)
        case .unexpectedByte(let byte, let expected): unexpected(byte, expected, bytes)
        case .trailingContent: trailing(bytes)
        case .invalidNumber: (open.isEmpty ? notJSON(bytes, from: max(last, 0)) : nil) ?? number(bytes, around: fault)
        case .controlCharacter(let byte): control(byte)
        case .invalidEscape:
            at(fault, "a backslash in a string is written twice (\"\\\\\"); alone it may only stand before \" \\ / b f n r t u")
        case .invalidUTF8: at(fault, "this byte is not UTF-8: save the file as UTF-8")
        case .byteOrderMark:
            at(0, "the file begins with a byte order mark, three invisible bytes: save it as UTF-8 without BOM")
        case .depthExceeded, .duplicateMember, .loneSurrogate, .tooLarge: nil
        }
    }

    private func at(_ offset: Int, _ message: String) -> JSONMistake { JSONMistake(message, at: position(offset)) }

    // MARK: The end

    private func end(_ bytes: Span<UInt8>) -> JSONMistake? {
        if last < 0 { return at(0, "the file is empty") }
        if let openString { return at(openString, "the string that begins here has no closing quotation mark") }
        if let opening = misaligned ?? open.last {
            let isSure = misaligned == nil
            let mark = opening.byte == 0x7B ? "{" : "["
            return at(
                opening.offset,
                "the \"\(mark)\" here is \(isSure ? "not" : "probably not") closed: the text ends in \(place(fault)) with "
                    + "\(open.count) bracket\(open.count == 1 ? "" : "s") open")
        }
        return nil
    }

    private func trailing(_ bytes: Span<UInt8>) -> JSONMistake? {
        if let comment = comment(bytes) { return comment }
        if bytes[fault] == 0x7D || bytes[fault] == 0x5D { return at(fault, "one closing bracket too many: nothing is open here") }
        if bytes[fault] == 0x7B || bytes[fault] == 0x5B {
            return at(fault, "a second value begins here: the file is one value, and that ends in \(place(last))")
        }
        if let word = notJSON(bytes, from: 0) { return word }
        guard let closing = lastByte(bytes), closing == 0x7D || closing == 0x5D, bytes[fault] == 0x2C || bytes[fault] == 0x22 else {
            return nil
        }
        return at(last, "everything is closed here, and more follows in \(place(fault)): probably one closing bracket too many")
    }

    private func control(_ byte: UInt8) -> JSONMistake? {
        if byte == 0x09 { return at(fault, "a tab in a string is written \"\\t\"") }
        guard byte == 0x0A || byte == 0x0D, let openString else { return nil }
        return at(
            openString,
            "the string that begins here has no closing quotation mark in its line (a line break in a string is written \"\\n\")")
    }

    // MARK: Bytes

    private func unexpected(_ byte: UInt8, _ expected: JSONError.Expectation, _ bytes: Span<UInt8>) -> JSONMistake? {
        if let mistake = comment(bytes) ?? strange(byte, bytes) { return mistake }
        if open.isEmpty, let mistake = notJSON(bytes, from: fault) { return mistake }
        if let mistake = comma(byte, bytes) ?? bracket(byte) { return mistake }
        switch expected {
        case .memberName: return name(byte, bytes)
        case .colon: return colon(byte, bytes)
        case .value: return value(byte, bytes)
        case .commaOrBracket, .commaOrBrace: return separator(byte, bytes)
        }
    }

    private func comment(_ bytes: Span<UInt8>) -> JSONMistake? {
        guard fault < bytes.count, bytes[fault] == 0x23 || has("//", bytes, at: fault) || has("/*", bytes, at: fault) else { return nil }
        return at(fault, "JSON has no comments: remove this one")
    }

    /// Bytes that are in no JSON outside of strings.
    private func strange(_ byte: UInt8, _ bytes: Span<UInt8>) -> JSONMistake? {
        let quotation: [StaticString] = [
            "\u{2018}", "\u{2019}", "\u{201C}", "\u{201D}", "\u{201E}", "\u{AB}", "\u{BB}", "\u{2032}", "\u{2033}",
        ]
        if quotation.contains(where: { has($0, bytes, at: fault) }) {
            return at(fault, "these quotation marks are typographic: write the plain \" (U+0022)")
        }
        let invisible: [(StaticString, String)] = [
            ("\u{A0}", "U+00A0, no-break space"), ("\u{200B}", "U+200B, zero width space"), ("\u{FEFF}", "U+FEFF, byte order mark"),
            ("\u{2028}", "U+2028, line separator"), ("\u{3000}", "U+3000, wide space"), ("\u{202F}", "U+202F, narrow no-break space"),
        ]
        for (text, name) in invisible where has(text, bytes, at: fault) {
            return at(fault, "an invisible character (\(name)): remove it, or write a plain space")
        }
        switch byte {
        case 0x27, 0x60: return at(fault, "strings have double quotation marks: write \"…\"")
        case 0x3B: return at(fault, "write \",\" between values, and nothing behind the last one")
        case 0x24:
            return at(fault, "variables are not replaced in this file: write the value, and a secret as \"env:NAME\" or \"file:PATH\"")
        case 0xFE, 0xFF, 0x00: return at(fault, "this is not UTF-8, probably UTF-16: save the file as UTF-8")
        case 0x3C, 0x3D, 0x3E:
            guard has("<<<<<<<", bytes, at: fault) || has("=======", bytes, at: fault) || has(">>>>>>>", bytes, at: fault)
            else { return nil }
            return at(fault, "a merge conflict that is not resolved")
        default: return nil
        }
    }

    /// A text that is another format altogether.
    private func notJSON(_ bytes: Span<UInt8>, from offset: Int) -> JSONMistake? {
        var end = offset
        while end < bytes.count, bytes[end] != 0x0A, bytes[end] != 0x0D { end += 1 }
        let line = bytes.extracting(offset..<end)
        let beginsWithWord = line.count > 0 && line[0].lowercasedASCII &- 0x61 < 26
        let colon = line.firstIndex(of: 0x3A)
        let isList = line.count > 1 && line[0] == 0x2D && (line[1] == 0x20 || line[1] == 0x2D)
        if isList || beginsWithWord && colon != nil || line.count > 0 && line[0] == 0x25 {
            return at(offset, "this looks like YAML: a policy is JSON, { \"name\": value, … }")
        }
        return beginsWithWord && line.count > 1 && word(bytes, around: offset).text.utf8.count > 1 && offset == 0
            ? at(offset, "a policy is JSON and begins with \"{\"") : nil
    }

    /// Commas without a value between.
    private func comma(_ byte: UInt8, _ bytes: Span<UInt8>) -> JSONMistake? {
        guard let before = lastByte(bytes) else { return nil }
        if before == 0x2C, byte == 0x7D || byte == 0x5D { return at(last, "no comma may stand behind the last value: remove this one") }
        guard byte == 0x2C else { return nil }
        if before == 0x2C || before == 0x7B || before == 0x5B { return at(fault, "one comma too many") }
        return before == 0x3A ? at(last, "the value is missing behind this colon") : nil
    }

    /// A closing bracket of the other kind.
    private func bracket(_ byte: UInt8) -> JSONMistake? {
        guard byte == 0x7D || byte == 0x5D, let opening = open.last, opening.byte + 2 != byte else { return nil }
        let marks = byte == 0x7D ? ("}", "[") : ("]", "{")
        return at(fault, "found \"\(marks.0)\" while the \"\(marks.1)\" of \(place(opening.offset)) is not closed")
    }

    private func name(_ byte: UInt8, _ bytes: Span<UInt8>) -> JSONMistake? {
        if byte.isDigit, lastByte(bytes) == 0x2C, last > 0, bytes[last - 1].isDigit, last + 1 == fault {
            return at(last, "numbers are written without separators: remove this comma")
        }
        let word = word(bytes, around: fault)
        guard !word.text.isEmpty, word.start == fault else { return nil }
        return at(fault, "names stand in quotation marks: write \"\(word.text)\"")
    }

    private func colon(_ byte: UInt8, _ bytes: Span<UInt8>) -> JSONMistake? {
        if byte == 0x3D { return at(fault, "write \":\" between a name and its value") }
        if byte == 0x2C || byte == 0x7D {
            return at(last, "a name without a value; what has no names is a list, [ … ]")
        }
        return at(last, "a colon is missing behind this name")
    }

    private func value(_ byte: UInt8, _ bytes: Span<UInt8>) -> JSONMistake? {
        if byte == 0x7D || byte == 0x5D, lastByte(bytes) == 0x3A { return at(last, "the value is missing behind this colon") }
        if byte == 0x2B || byte == 0x2E { return number(bytes, around: fault) }
        let word = word(bytes, around: fault, isColonIncluded: true)
        let isBehindColon = word.start < fault && bytes[word.start] == 0x3A
        guard !word.text.isEmpty, word.start == fault || isBehindColon else { return nil }
        return at(fault, Self.remedy(for: isBehindColon ? String(word.text.dropFirst()) : word.text))
    }

    private static func remedy(for word: String) -> String {
        switch word.lowercased() {
        case "true", "yes", "on", "enabled": return "write true, in small letters and without quotation marks"
        case "false", "no", "off", "disabled": return "write false, in small letters and without quotation marks"
        case "null", "none", "nil", "undefined": return "write null, or leave the member out"
        case "nan", "infinity", "inf", "-infinity": return "\(word) is not a number of JSON"
        default: return "texts stand in quotation marks: write \"\(word)\""
        }
    }

    private func separator(_ byte: UInt8, _ bytes: Span<UInt8>) -> JSONMistake? {
        if byte == 0x3A {
            return open.last?.byte == 0x5B
                ? at(fault, "a list has no names: write { \"name\": value } for an object")
                : number(bytes, around: fault) ?? at(fault, "a colon behind a value: a comma, or quotation marks, are missing before")
        }
        if last + 1 == fault, let before = lastByte(bytes), before.isDigit { return number(bytes, around: fault) }
        // `"say "hello""`: the string ended before its author meant it to.
        if last + 1 == fault, lastByte(bytes) == 0x22 {
            return at(last, "the string ends here: a quotation mark in a string is written \"\\\"\", and a comma stands between values")
        }
        let isValue = byte == 0x22 || byte == 0x7B || byte == 0x5B || byte == 0x2D || byte.isDigit || byte.lowercasedASCII &- 0x61 < 26
        return isValue ? at(last, "a comma is missing behind this value") : nil
    }

    // MARK: Numbers

    /// What is not a number of JSON, though it begins like one.
    private func number(_ bytes: Span<UInt8>, around offset: Int) -> JSONMistake? {
        let word = word(bytes, around: offset, isColonIncluded: true)
        // A name's colon may stand before it without a space.
        let colon = bytes[word.start] == 0x3A
        let text = colon ? String(word.text.dropFirst()) : word.text
        let start = word.start + (colon ? 1 : 0)
        guard let first = text.utf8.first else { return nil }
        let rest = text.utf8.dropFirst()
        if text == "-" { return at(start, "a digit is missing behind the minus sign") }
        if first == 0x2B { return at(start, "a number has no plus sign: remove it") }
        if first == 0x2E { return at(start, "a number has a digit before its point: write 0\(text)") }
        if first == 0x30, let second = rest.first {
            if second | 0x20 == 0x78 { return at(start, "hexadecimal numbers are not known here: write \(text) as a decimal number") }
            if text.utf8.allSatisfy(\.isDigit) {
                return at(start, "a number has no leading zeros: write it without, or in quotation marks")
            }
        }
        if text.utf8.allSatisfy({ $0.isDigit || $0 == 0x5F }) {
            return at(start, "numbers are written without separators: write \(text.filter { $0 != "_" })")
        }
        if text.utf8.last == 0x2E, text.utf8.dropLast().allSatisfy(\.isDigit) { return at(start, "a digit is missing behind the point") }
        if text.utf8.contains(where: { !$0.isDigit }) {
            return at(start, "only plain numbers go without quotation marks: write \"\(text)\"")
        }
        return nil
    }
}
