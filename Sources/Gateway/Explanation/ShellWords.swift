/// Splits a command line into words as a POSIX shell does (XCU §2.2), as far as a pasted command needs it: blanks, the
/// three kinds of quoting, bash's `$'…'`, lines continued by a backslash. Nothing is expanded; what a shell would have
/// expanded or run is a fault.
enum ShellWords {
    /// A longer line is no command somebody pasted.
    static let byteLimit = 262_144

    /// - Returns: the words, and the name of a variable that stands in single quotes, where nothing takes its place.
    static func split(_ line: String) throws(ExplainFault) -> (words: [String], quotedVariable: String?) {
        guard line.utf8.count <= byteLimit else { throw ExplainFault("the command line is longer than \(byteLimit) bytes") }
        var scanner = Scanner(rest: Array(line.unicodeScalars)[...])
        return (try scanner.words(), scanner.quotedVariable)
    }

    private struct Scanner {
        var rest: ArraySlice<Unicode.Scalar>
        var word = ""
        var isInWord = false
        var quotedVariable: String?

        mutating func words() throws(ExplainFault) -> [String] {
            var words: [String] = []
            while let scalar = rest.popFirst() {
                switch scalar {
                case " ", "\t", "\r", "\n":
                    if isInWord { words.append(word) }
                    (word, isInWord) = ("", false)
                case "'":
                    isInWord = true
                    try takeQuoted()
                case "\"":
                    isInWord = true
                    try takeDoubleQuoted()
                case "\\": takeEscaped()
                case "$" where rest.first == "'":
                    rest.removeFirst()
                    isInWord = true
                    try takeDollarQuoted()
                case "$" where words.isEmpty && !isInWord && rest.first == " ":
                    // The prompt in front of a pasted command.
                    take(scalar)
                case "$", "`": throw Self.unexpandable(scalar)
                case "|", ";", "&", "<", ">", "(", ")":
                    throw ExplainFault("\"\(scalar)\" ends the command; paste one command alone, URLs with \"\(scalar)\" in quotes")
                case "#" where !isInWord:
                    while let next = rest.first, next != "\n" { _ = next; rest.removeFirst() }
                default: take(scalar)
                }
            }
            if isInWord { words.append(word) }
            return words
        }

        private mutating func take(_ scalar: Unicode.Scalar) {
            word.unicodeScalars.append(scalar)
            isInWord = true
        }

        private mutating func takeEscaped() {
            guard let next = rest.popFirst() else { return }
            // A backslash before a line end is a line that goes on; so is one with CR LF.
            if next == "\n" { return }
            if next == "\r", rest.first == "\n" {
                rest.removeFirst()
                return
            }
            take(next)
        }

        private mutating func takeQuoted() throws(ExplainFault) {
            while let next = rest.popFirst() {
                if next == "'" { return }
                if next == "$" { noteVariable() }
                take(next)
            }
            throw ExplainFault("a single quotation mark is not closed")
        }

        /// What is written in capitals behind the "$" is meant as a variable.
        private mutating func noteVariable() {
            let name = rest.drop { $0 == "{" }.prefix { "A"..."Z" ~= $0 || "0"..."9" ~= $0 || $0 == "_" }
            if let first = name.first, !("0"..."9" ~= first) { quotedVariable = String(String.UnicodeScalarView(name)) }
        }

        private mutating func takeDoubleQuoted() throws(ExplainFault) {
            while let next = rest.popFirst() {
                switch next {
                case "\"": return
                case "\\":
                    guard let escaped = rest.popFirst() else { break }
                    if escaped == "\n" { continue }
                    if !["$", "`", "\"", "\\"].contains(escaped) { take("\\") }
                    take(escaped)
                case "$", "`": throw Self.unexpandable(next)
                default: take(next)
                }
            }
            throw ExplainFault("a double quotation mark is not closed")
        }

        /// What browsers copy: `$'a\'b\u0021'`.
        private mutating func takeDollarQuoted() throws(ExplainFault) {
            while let next = rest.popFirst() {
                if next == "'" { return }
                guard next == "\\" else {
                    take(next)
                    continue
                }
                guard let escaped = rest.popFirst() else { break }
                switch escaped {
                case "n": take("\n")
                case "r": take("\r")
                case "t": take("\t")
                case "u": take(try unicode())
                case "x": take(try scalar(try hexadecimal(digits: 2)))
                default: take(escaped)
                }
            }
            throw ExplainFault("a quotation that began with $' is not closed")
        }

        /// Browsers write what lies beyond 16 bits as JSON does: as two surrogates (RFC 8259 §7).
        private mutating func unicode() throws(ExplainFault) -> Unicode.Scalar {
            let high = try hexadecimal(digits: 4)
            guard 0xD800..<0xDC00 ~= high, rest.starts(with: ["\\", "u"]) else { return try scalar(high) }
            rest.removeFirst(2)
            let low = try hexadecimal(digits: 4)
            guard 0xDC00..<0xE000 ~= low else { throw Self.noCharacter }
            return try scalar(0x10000 &+ ((high &- 0xD800) << 10) &+ (low &- 0xDC00))
        }

        private mutating func hexadecimal(digits: Int) throws(ExplainFault) -> UInt32 {
            var text = ""
            while text.count < digits, let next = rest.first, next.properties.isASCIIHexDigit {
                text.unicodeScalars.append(next)
                rest.removeFirst()
            }
            guard let value = UInt32(text, radix: 16) else { throw Self.noCharacter }
            return value
        }

        private func scalar(_ value: UInt32) throws(ExplainFault) -> Unicode.Scalar {
            guard let scalar = Unicode.Scalar(value) else { throw Self.noCharacter }
            return scalar
        }

        private static let noCharacter = ExplainFault("an escape in $'…' is no character")

        private static func unexpandable(_ scalar: Unicode.Scalar) -> ExplainFault {
            ExplainFault("\"\(scalar)\" would be expanded by a shell; put the value in its place, or the word in single quotes")
        }
    }
}
