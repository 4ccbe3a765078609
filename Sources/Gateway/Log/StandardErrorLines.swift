import CLinux
import Core
import Logging

/// Makes each event a line, `TIME LEVEL message key=value…`, and hands it to the writer of standard error; without one, as commands
/// want it, it is written at once in one `write(2)`, so that lines of several threads do not mix.
struct StandardErrorLines: LogHandler {
    var metadata: Logger.Metadata = [:]
    var metadataProvider: Logger.MetadataProvider?
    var logLevel: Logger.Level
    private let writer: MessageWriter?

    init(logLevel: Logger.Level, writer: MessageWriter? = nil) {
        self.logLevel = logLevel
        self.writer = writer
    }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        let line = line(for: event, at: WallTime(nanoseconds: linux_realtime_ns()))
        if let writer { return writer.write(line) }
        // A closed or full standard error must not stop the gateway: what cannot be written is lost.
        _ = unsafe line.withUnsafeBytes { unsafe linux_write(2, $0.baseAddress, $0.count) }
    }

    /// The event as one line with its line feed.
    func line(for event: LogEvent, at time: WallTime) -> [UInt8] {
        var line: [UInt8] = []
        line.append(rfc3339: time)
        line.append(" ")
        line.append(contentsOf: event.level.rawValue.utf8)
        line.append(" ")
        append(event.message.description, to: &line)
        let all = metadata.merging(event.metadata ?? [:]) { _, newer in newer }
        for (key, value) in all.sorted(by: { $0.key < $1.key }) {
            line.append(" ")
            append(key, to: &line)
            line.append("=")
            append(value.description, to: &line)
        }
        line.append("\n")
        return line
    }

    /// Text of one line: display hazards, which could forge a line of their own, become spaces.
    private func append(_ text: String, to line: inout [UInt8]) {
        for scalar in text.unicodeScalars {
            if scalar.isDisplayHazard { line.append(0x20) } else { line.append(contentsOf: UTF8.encode(scalar).map { Array($0) } ?? []) }
        }
    }
}
