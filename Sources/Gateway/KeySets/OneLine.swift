/// Text that others chose, made fit for one line of a message.
enum OneLine {
    /// Controls, quotation marks and backslashes become "?"; cut after 80 characters.
    static func quoted(_ text: String) -> String {
        String(text.unicodeScalars.prefix(80).map { scalar in
            let isPlain = scalar.value >= 0x20 && scalar.value != 0x7F && !(0x80...0x9F).contains(scalar.value)
            return isPlain && scalar != "\"" && scalar != "\\" ? Character(scalar) : "?"
        })
    }
}
