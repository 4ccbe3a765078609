import Core
import Foundation
import IO
import Logging
import Policy
import Synchronization
import Testing

@testable import Gateway

@Suite struct LogWriterTests {
    static func head() -> RequestHead { AccessRecordTextTests.head("GET /a HTTP/1.1\r\nHost: h\r\n\r\n") }

    static func lines(of path: String) throws -> [Substring] {
        try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n")
    }

    @Test func `records of several loops arrive whole and none is lost`() throws {
        let folder = try TemporaryFolder()
        let path = folder.path("access.log")
        let writer = LogWriter(destination: .file(path), log: RecordingLog().log)
        DispatchQueue.concurrentPerform(iterations: 4) { loop in
            let log = AccessLog(writer: writer, isOn: true)
            var record = AccessRecord()
            for number in 0..<500 {
                record.removeAll()
                record.requestID = Array("\(loop)-\(number)".utf8)
                log.append(record, head: Self.head())
            }
            log.flush()
            #expect(log.appended == 500)
            #expect(log.dropped == 0)
        }
        #expect(writer.finish(within: .seconds(10)))
        let lines = try Self.lines(of: path)
        #expect(lines.count == 2000)
        let identifiers = try lines.map { line in
            try #require(AccessRecordTextTests.members(of: String(line))["request_id"] as? String)
        }
        #expect(Set(identifiers).count == 2000)
    }

    @Test func `a line that fills no batch is handed over in time all the same`() throws {
        let folder = try TemporaryFolder()
        let path = folder.path("access.log")
        let writer = LogWriter(destination: .file(path), log: RecordingLog().log)
        let queue = DispatchQueue(label: "test.loop")
        let log = LoopBound(AccessLog(writer: writer, isOn: true, queue: queue), on: queue)
        queue.sync { log.value.append(AccessRecord(), head: Self.head()) }
        // Due after the flush that was scheduled before it.
        let due = DispatchSemaphore(value: 0)
        queue.asyncAfter(deadline: .now() + .nanoseconds(Int(AccessLog.flushInterval))) { due.signal() }
        #expect(due.wait(timeout: .now() + 10) == .success)
        #expect(queue.sync { !log.value.isWaiting })
        #expect(writer.finish(within: .seconds(10)))
        #expect(try Self.lines(of: path).count == 1)
    }

    @Test func `a log that is off makes no lines`() throws {
        let log = AccessLog(writer: LogWriter(destination: .off, log: RecordingLog().log), isOn: false)
        log.append(AccessRecord(), head: Self.head())
        #expect(!log.isWaiting)
        #expect(log.appended == 0)
    }

    @Test func `a full disk drops what is above the bound and says so once`() throws {
        let recording = RecordingLog()
        let writer = LogWriter(destination: .file("/dev/full"), backlogByteLimit: 1000, log: recording.log)
        var batch = [UInt8](repeating: 0x61, count: 600)
        #expect(writer.enqueue(&batch))
        #expect(!writer.finish(within: .seconds(10)))
        batch = [UInt8](repeating: 0x62, count: 600)
        #expect(!writer.enqueue(&batch))
        #expect(batch.count == 600)
        #expect(!writer.finish(within: .seconds(10)))
        #expect(writer.pendingBytes == 600)
        let complaints = recording.messages.filter { $0.contains("access log cannot be written") }
        #expect(complaints.count == 1)
        #expect(complaints.first?.contains("No space left on device") == true)
    }

    @Test func `records that the writer refuses are counted as dropped`() throws {
        let writer = LogWriter(destination: .file("/dev/full"), backlogByteLimit: 10, log: RecordingLog().log)
        let log = AccessLog(writer: writer, isOn: true)
        log.append(AccessRecord(), head: Self.head())
        log.append(AccessRecord(), head: Self.head())
        log.flush()
        #expect(log.dropped == 2)
        #expect(!log.isWaiting)
    }

    @Test func `what waited on a full disk goes to the new destination`() throws {
        let folder = try TemporaryFolder()
        let path = folder.path("access.log")
        let recording = RecordingLog()
        let writer = LogWriter(destination: .file("/dev/full"), log: recording.log)
        var batch = Array("one\n".utf8)
        #expect(writer.enqueue(&batch))
        #expect(!writer.finish(within: .seconds(10)))
        writer.adopt(.file(path))
        #expect(writer.finish(within: .seconds(10)))
        #expect(try Self.lines(of: path) == ["one"])
        #expect(recording.messages.contains("the access log is written again"))
    }

    @Test func `what comes right behind the first destination goes there`() throws {
        let folder = try TemporaryFolder()
        let path = folder.path("audit.log")
        let writer = LogWriter(destination: .off, log: RecordingLog().log)
        // Holds the writer's queue until the line waits.
        let gate = DispatchSemaphore(value: 0)
        writer.record(of: "none") { _ in gate.wait() }
        writer.adopt(.file(path))
        var batch = Array("a line\n".utf8)
        #expect(writer.enqueue(&batch))
        gate.signal()
        #expect(writer.finish(within: .seconds(10)))
        #expect(try Self.lines(of: path) == ["a line"])
    }

    @Test func `a file renamed away by log rotation is opened anew without a signal`() throws {
        let folder = try TemporaryFolder()
        let path = folder.path("access.log")
        let writer = LogWriter(destination: .file(path), log: RecordingLog().log)
        var batch = Array("before\n".utf8)
        #expect(writer.enqueue(&batch))
        #expect(writer.finish(within: .seconds(10)))
        try FileManager.default.moveItem(atPath: path, toPath: path + ".1")
        batch = Array("after\n".utf8)
        #expect(writer.enqueue(&batch))
        #expect(writer.finish(within: .seconds(10)))
        #expect(try Self.lines(of: path) == ["after"])
        #expect(try Self.lines(of: path + ".1") == ["before"])
    }

    @Test func `an existing log is continued, not cut`() throws {
        let folder = try TemporaryFolder()
        let path = folder.path("access.log")
        try "old\n".write(toFile: path, atomically: false, encoding: .utf8)
        let writer = LogWriter(destination: .file(path), log: RecordingLog().log)
        var batch = Array("new\n".utf8)
        #expect(writer.enqueue(&batch))
        #expect(writer.finish(within: .seconds(10)))
        #expect(try Self.lines(of: path) == ["old", "new"])
    }
}
