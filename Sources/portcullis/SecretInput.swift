import ArgumentParser

private import Glibc

/// Secrets from standard input, so that they stand in no process list and no shell history. At a terminal they are not shown.
enum SecretInput {
    /// Longer input is a mistake.
    private static let byteLimit = 65_536

    /// Everything up to the end of the input, at a terminal up to Enter, without one line end; refused when nothing is left.
    /// - Parameter prompt: shown at a terminal.
    static func read(prompt: String) throws -> [UInt8] {
        let isTerminal = isatty(STDIN_FILENO) == 1
        var before = termios()
        if isTerminal {
            Output.error(prompt)
            unsafe tcgetattr(STDIN_FILENO, &before)
            var silent = before
            silent.c_lflag &= ~tcflag_t(ECHO)
            unsafe tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent)
        }
        defer { if isTerminal { unsafe tcsetattr(STDIN_FILENO, TCSAFLUSH, &before) } }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 4096)
        while true {
            let count = unsafe Glibc.read(STDIN_FILENO, &chunk, chunk.count)
            guard count > 0 else { break }
            bytes += chunk.prefix(count)
            guard bytes.count <= byteLimit else { throw ValidationError("more than \(byteLimit) bytes are no secret") }
            if isTerminal, bytes.last == 0x0A { break }
        }
        if bytes.last == 0x0A { bytes.removeLast() }
        if bytes.last == 0x0D { bytes.removeLast() }
        guard !bytes.isEmpty else { throw ValidationError("standard input holds no secret") }
        return bytes
    }
}
