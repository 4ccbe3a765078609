import Gateway
import Logging
import Synchronization

/// An operator log whose messages a test can read.
final class RecordingLog: Sendable {
    private let stored = Mutex<[String]>([])

    var messages: [String] { stored.withLock { $0 } }

    var log: OperatorLog {
        OperatorLog(Logger(label: "test") { _ in Sink(owner: self) })
    }

    private struct Sink: LogHandler {
        var metadata: Logger.Metadata = [:]
        var logLevel = Logger.Level.trace
        let owner: RecordingLog

        init(owner: RecordingLog) { self.owner = owner }

        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }

        func log(event: LogEvent) { owner.stored.withLock { $0.append(event.message.description) } }
    }
}
