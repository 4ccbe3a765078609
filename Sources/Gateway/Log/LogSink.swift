import CLinux
import IO
import Policy

private import Glibc

/// The open end of the access log: standard output or a file. Belongs to the writer's queue.
///
/// A file is opened for appending and opened again when its name no longer leads to it, so that log rotation by
/// renaming needs no signal.
final class LogSink {
    private let destination: AccessLogDestination
    private var descriptor: Int32?
    private var identity: FileIdentity?

    init(_ destination: AccessLogDestination) { self.destination = destination }

    deinit { closeFile() }

    /// Opens the file anew, at once, so that whoever rotates logs finds it. Where that fails the next write tries again.
    func reopen() {
        closeFile()
        _ = try? openDescriptor()
    }

    /// Writes from `offset` on and moves it by what was written; it reaches the end, or an error is thrown.
    func write(_ bytes: [UInt8], from offset: inout Int) throws(SystemError) {
        guard let descriptor = try openDescriptor() else {
            offset = bytes.count
            return
        }
        try DescriptorWrite.write(bytes, from: &offset, to: descriptor)
    }

    private func openDescriptor() throws(SystemError) -> Int32? {
        switch destination {
        case .off: return nil
        case .standardOutput: return STDOUT_FILENO
        case .file(let path):
            if let descriptor, let identity, let current = FileIdentity(path: path), current.isSameFile(as: identity) {
                return descriptor
            }
            closeFile()
            let result = unsafe linux_open(path, O_WRONLY | O_APPEND | O_CREAT | O_NOCTTY)
            guard result >= 0 else {
                throw SystemError(call: "open \(path)", code: Int32(truncatingIfNeeded: -result))
            }
            let opened = Int32(truncatingIfNeeded: result)
            descriptor = opened
            identity = FileIdentity(descriptor: opened)
            return opened
        }
    }

    private func closeFile() {
        if let descriptor { close(descriptor) }
        descriptor = nil
        identity = nil
    }
}
