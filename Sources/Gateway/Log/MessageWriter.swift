import CLinux
package import Core
import Dispatch
import IO
import Synchronization

private import Glibc

/// Writes the gateway's own messages to a descriptor from a queue of its own, so that a standard error that takes nothing stops
/// neither requests nor reloads nor the end of the process. Lines wait up to a bound; above it they are dropped, counted, and the
/// number is written when lines can be written again. From any thread.
package final class MessageWriter: Sendable {
    private struct Backlog {
        var lines: [[UInt8]] = []
        /// Bytes of all lines, the one being written included.
        var bytes = 0
        var isWriting = false
        /// The last line could not be written.
        var isBroken = false
        /// Lines dropped that were not told of.
        var droppedSince: UInt64 = 0
        var dropped: UInt64 = 0
    }

    private let queue = DispatchQueue(label: "portcullis.messages", qos: .utility)
    private let backlog = Mutex(Backlog())
    private let descriptor: Int32
    private let byteLimit: Int

    /// - Parameter byteLimit: bytes of lines that may wait.
    package init(descriptor: Int32 = STDERR_FILENO, byteLimit: Int = FixedBounds.messageBytes) {
        self.descriptor = descriptor
        self.byteLimit = byteLimit
    }

    /// Lines that were not written, for want of room or because the descriptor is broken.
    package var dropped: UInt64 { backlog.withLock { $0.dropped } }

    /// Takes a line with its line feed. Never blocks on output.
    package func write(_ line: [UInt8]) {
        let mustBegin = backlog.withLock { backlog in
            guard backlog.bytes + line.count <= byteLimit else {
                backlog.dropped += 1
                backlog.droppedSince += 1
                return false
            }
            backlog.lines.append(line)
            backlog.bytes += line.count
            if backlog.isWriting { return false }
            backlog.isWriting = true
            return true
        }
        if mustBegin { queue.async { self.writeWaiting() } }
    }

    /// Waits until the lines so far are written, `limit` at most; false when some are not. For the end of the process.
    @discardableResult
    package func finish(within limit: Nanoseconds) -> Bool {
        let done = DispatchSemaphore(value: 0)
        queue.async { done.signal() }
        return done.wait(timeout: .now() + .nanoseconds(Int(limit))) == .success
    }

    /// Writes line after line until none waits, and then how many were dropped. On the queue.
    private func writeWaiting() {
        while let lines = takeLines() {
            for line in lines {
                let isWritten = write(whole: line)
                backlog.withLock { backlog in
                    backlog.bytes -= line.count
                    backlog.isBroken = !isWritten
                    guard backlog.isBroken else { return }
                    backlog.dropped += 1
                    backlog.droppedSince += 1
                }
            }
        }
    }

    /// The lines that wait, or one that tells of those that were dropped; nil where there is nothing to write.
    private func takeLines() -> [[UInt8]]? {
        backlog.withLock { backlog in
            let lines = backlog.lines
            backlog.lines = []
            if !lines.isEmpty { return lines }
            // To a descriptor that is broken it is not told again and again.
            if backlog.droppedSince > 0, !backlog.isBroken {
                let notice = Self.notice(of: backlog.droppedSince)
                backlog.droppedSince = 0
                backlog.bytes += notice.count
                return [notice]
            }
            backlog.isWriting = false
            return nil
        }
    }

    /// Blocks until the line is written. False when the descriptor is broken.
    private func write(whole line: [UInt8]) -> Bool {
        var offset = 0
        while offset < line.count {
            do throws(SystemError) { try DescriptorWrite.write(line, from: &offset, to: descriptor) } catch {
                guard error.code == EAGAIN else { return false }
            }
        }
        return true
    }

    private static func notice(of count: UInt64) -> [UInt8] {
        var line: [UInt8] = []
        line.append(rfc3339: WallTime(nanoseconds: linux_realtime_ns()))
        line.append(" warning standard error took nothing: ")
        line.append(decimal: count)
        line.append(contentsOf: (count == 1 ? " message was dropped\n" : " messages were dropped\n").utf8)
        return line
    }
}
