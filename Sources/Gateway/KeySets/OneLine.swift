import Core

/// Text that others chose, made fit for one line of a message.
package enum OneLine {
    /// Display hazards become "?"; cut after 200 characters. For paths and names the operator chose.
    package static func plain(_ text: String) -> String {
        String(text.unicodeScalars.prefix(200).map { $0.isDisplayHazard ? "?" : Character($0) })
    }

    /// Display hazards, quotation marks and backslashes become "?"; cut after 80 characters.
    static func quoted(_ text: String) -> String {
        String(text.unicodeScalars.prefix(80).map { scalar in
            scalar.isDisplayHazard || scalar == "\"" || scalar == "\\" ? "?" : Character(scalar)
        })
    }
}
