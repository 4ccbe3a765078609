import Foundation
import Glibc

/// A folder of a test's own, removed when the test lets go of it.
final class TemporaryFolder {
    let root: String

    init() throws {
        root = NSTemporaryDirectory() + "portcullis-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: root, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: root) }

    func path(_ name: String) -> String { root + "/" + name }

    /// Writes a file in place, as `echo > file` does.
    @discardableResult
    func write(_ text: String, to name: String) throws -> String {
        try text.write(toFile: path(name), atomically: false, encoding: .utf8)
        return path(name)
    }

    /// Renames over whatever stands there, in one step, as rename(2) does.
    func rename(_ name: String, to other: String) throws {
        guard unsafe Glibc.rename(path(name), path(other)) == 0 else { throw CocoaError(.fileWriteUnknown) }
    }
}
