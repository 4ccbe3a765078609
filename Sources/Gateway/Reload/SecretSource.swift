import Core
package import Policy

private import Glibc

/// Where secrets come from: environment variables and files, never the policy file itself.
package enum SecretSource {
    /// A secret longer than this is a mistake, most likely the wrong file.
    package static let byteLimit = 65_536

    /// The secret in an environment variable; refused when empty.
    package static func environment(_ name: String) throws(LocalFileFault) -> [UInt8] {
        guard let value = unsafe getenv(name) else {
            throw LocalFileFault(message: "the environment variable \(OneLine.plain(name)) is not set")
        }
        let bytes = unsafe Array(String(cString: value).utf8)
        guard !bytes.isEmpty else {
            throw LocalFileFault(message: "the environment variable \(OneLine.plain(name)) is empty")
        }
        return bytes
    }

    /// The secret in a file, without the line end that editors put there; refused when nothing is left.
    package static func file(_ file: borrowing LocalFile, path: String) throws(LocalFileFault) -> [UInt8] {
        var bytes = try file.bytes(atMost: byteLimit)
        if bytes.last == 0x0A { bytes.removeLast() }
        if bytes.last == 0x0D { bytes.removeLast() }
        guard !bytes.isEmpty else { throw LocalFileFault(message: "\(OneLine.plain(path)) is empty") }
        return bytes
    }

    /// The secret a reference leads to, for commands; files relative to the current directory.
    package static func read(_ reference: SecretReference) throws(LocalFileFault) -> [UInt8] {
        switch reference {
        case .environment(let name): return try environment(name)
        case .file(let path): return try file(try LocalFile(path: path), path: path)
        }
    }

    /// Reads `env:NAME` or `file:PATH`; nil for anything else.
    package static func reference(_ text: String) -> SecretReference? {
        if text.hasPrefix("env:"), text.utf8.count > 4 { return .environment(String(text.dropFirst(4))) }
        if text.hasPrefix("file:"), text.utf8.count > 5 { return .file(String(text.dropFirst(5))) }
        return nil
    }
}
