import CLinux
import Core
import IO

private import Glibc

/// Why a file cannot be used, in one line that names it.
package struct LocalFileFault: Error, Equatable, Sendable {
    package var message: String

    package init(message: String) { self.message = message }
}

/// A regular file opened for reading, and the state it was in then.
package struct LocalFile: ~Copyable {
    /// Bytes read at a time.
    private static let chunkBytes = 262_144

    private let descriptor: Int32
    private let path: String
    package let identity: FileIdentity

    /// Opens a file; what is no regular file (a directory, a pipe) is refused.
    package init(path: String) throws(LocalFileFault) {
        // Opening a pipe would otherwise wait for a writer.
        let result = unsafe linux_open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY)
        guard result >= 0 else { throw Self.fault(path, result) }
        let opened = Int32(truncatingIfNeeded: result)
        guard let identity = FileIdentity(descriptor: opened), identity.isRegularFile else {
            close(opened)
            throw LocalFileFault(message: "\(OneLine.plain(path)) is not a regular file")
        }
        descriptor = opened
        self.path = path
        self.identity = identity
    }

    deinit { close(descriptor) }

    /// The whole content, refused above `byteLimit`.
    package func bytes(atMost byteLimit: Int) throws(LocalFileFault) -> [UInt8] {
        var all: [UInt8] = []
        while let chunk = try next() {
            all += chunk
            guard all.count <= byteLimit else {
                throw LocalFileFault(message: "\(OneLine.plain(path)) is larger than \(byteLimit) bytes")
            }
        }
        return all
    }

    /// The next piece of the content; nil at its end.
    package func next() throws(LocalFileFault) -> [UInt8]? {
        while true {
            var result = 0
            let chunk = unsafe [UInt8](unsafeUninitializedCapacity: Self.chunkBytes) { buffer, count in
                result = unsafe linux_read(descriptor, buffer.baseAddress, buffer.count)
                count = max(result, 0)
            }
            if result == -Int(EINTR) { continue }
            guard result >= 0 else { throw Self.fault(path, result) }
            return chunk.isEmpty ? nil : chunk
        }
    }

    private static func fault(_ path: String, _ result: Int) -> LocalFileFault {
        let error = SystemError(call: "cannot read \(OneLine.plain(path))", code: Int32(truncatingIfNeeded: -result))
        return LocalFileFault(message: error.description)
    }
}
