/// Text that others chose, made fit for one line of a message.
package enum OneLine {
    /// Controls become "?"; cut after 200 characters. For paths and names the operator chose.
    package static func plain(_ text: String) -> String {
        String(text.unicodeScalars.prefix(200).map { isControl($0) ? "?" : Character($0) })
    }

    /// Controls, quotation marks and backslashes become "?"; cut after 80 characters.
    static func quoted(_ text: String) -> String {
        String(text.unicodeScalars.prefix(80).map { scalar in
            isControl(scalar) || scalar == "\"" || scalar == "\\" ? "?" : Character(scalar)
        })
    }

    private static func isControl(_ scalar: Unicode.Scalar) -> Bool {
        scalar.value < 0x20 || (0x7F...0x9F).contains(scalar.value)
    }
}
