import Core

private import Glibc

/// What commands print: results on standard output, everything else on standard error.
enum Output {
    static func line(_ text: String) { write(printable(text) + "\n", to: STDOUT_FILENO) }

    static func error(_ text: String) { write(printable(text) + "\n", to: STDERR_FILENO) }

    /// The text with its lines, tabs and colors, and "?" for every other character that could forge what a terminal shows: names
    /// of keys and users, targets and fields of requests are chosen by others.
    static func printable(_ text: String) -> String {
        var parts = text.split(separator: "\u{1B}", omittingEmptySubsequences: false).map(String.init)
        for index in parts.indices.dropFirst() {
            let isColor = parts[index].wholeMatch(of: /\[[0-9;]*m.*/.dotMatchesNewlines()) != nil
            parts[index] = (isColor ? "\u{1B}" : "?") + parts[index]
        }
        return parts.joined().withoutDisplayHazards { $0 == "\n" || $0 == "\t" || $0 == "\u{1B}" }
    }

    /// Results go to a terminal whose user has not asked for plain text (https://no-color.org).
    static var isColoured: Bool {
        guard unsafe getenv("NO_COLOR") == nil || (unsafe getenv("NO_COLOR").pointee) == 0 else { return false }
        return isatty(STDOUT_FILENO) == 1
    }

    /// What standard input holds, cut after some bytes.
    static func standardInput(atMost limit: Int) -> [UInt8] {
        var bytes: [UInt8] = []
        while bytes.count < limit, let line = readLine(strippingNewline: false) { bytes += Array(line.utf8) }
        return bytes
    }

    /// A JSON string.
    static func quoted(_ text: String) -> String {
        var bytes: [UInt8] = []
        bytes.append(jsonString: text)
        return String(decoding: bytes, as: UTF8.self)
    }

    private static func write(_ text: String, to descriptor: Int32) {
        let bytes = Array(text.utf8)
        var written = 0
        while written < bytes.count {
            let start = written
            let result = unsafe bytes.withUnsafeBytes {
                unsafe Glibc.write(descriptor, $0.baseAddress?.advanced(by: start), $0.count - start)
            }
            // Nobody reads any more: there is nobody to tell either.
            guard result > 0 else { return }
            written += result
        }
    }
}
