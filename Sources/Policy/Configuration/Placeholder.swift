/// What documentation and templates have in the place of a value that the reader is to write.
enum Placeholder {
    /// The placeholder in a text that has none on purpose: `{tenant}`, `${VAR}`, `<your-domain>`, `%TENANT%`; nil without one.
    static func find(in text: String) -> String? {
        for (open, close): (Character, Character) in [("{", "}"), ("<", ">")] {
            guard let start = text.firstIndex(of: open), let end = text[start...].firstIndex(of: close) else { continue }
            let dollar = open == "{" && start > text.startIndex && text[text.index(before: start)] == "$"
            return String(text[(dollar ? text.index(before: start) : start)...end])
        }
        return nil
    }

    /// A word that hardly anything is named by: `YOUR_TENANT`, `your-domain`, `changeme`; nil without one.
    static func word(in text: String) -> String? {
        let words = text.split { !($0.isLetter || $0.isNumber || $0 == "_" || $0 == "-") }
        return words.lazy.map(String.init).first { word in
            let lower = word.lowercasedASCII
            let openings = ["your-", "your_", "changeme", "change-me", "replace-me", "replaceme"]
            return word.hasPrefix("YOUR") || openings.contains { lower.hasPrefix($0) }
        }
    }
}

extension ConfigurationReader {
    /// Reports a placeholder; false without one.
    @discardableResult
    mutating func checkPlaceholder(_ text: Located<String>, _ code: DiagnosticCode, _ what: String) -> Bool {
        guard let found = Placeholder.find(in: text.value) else { return false }
        report(
            code, at: text.position, path: text.path,
            "\(quoted(found)) is a placeholder: nothing is filled in here, write the value that \(what) has")
        return true
    }
}
