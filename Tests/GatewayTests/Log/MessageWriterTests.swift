import Core
import Foundation
import Testing

@testable import Gateway

@Suite struct MessageWriterTests {
    private static let line = Array("a line of the gateway\n".utf8)

    /// What notices among the lines add up to.
    private static func told(in text: String) -> UInt64 {
        text.matches(of: /warning standard error took nothing: ([0-9]+) messages? (?:was|were) dropped\n/)
            .reduce(0) { $0 + (UInt64($1.1) ?? 0) }
    }

    @Test func `lines arrive in their order`() {
        let pipe = Pipe()
        let writer = MessageWriter(descriptor: pipe.fileHandleForWriting.fileDescriptor)
        for number in 0..<100 { writer.write(Array("\(number)\n".utf8)) }
        #expect(writer.finish(within: .seconds(10)))
        pipe.fileHandleForWriting.closeFile()
        let text = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        #expect(text == (0..<100).map { "\($0)\n" }.joined())
    }

    @Test(arguments: [false, true])
    func `a pipe that is not read holds up no caller, and what is dropped is counted and told`(isNonBlocking: Bool) throws {
        let pipe = Pipe()
        let descriptor = pipe.fileHandleForWriting.fileDescriptor
        if isNonBlocking { _ = fcntl(descriptor, F_SETFL, O_NONBLOCK) }
        let writer = MessageWriter(descriptor: descriptor, byteLimit: 100_000)
        // Far more than the pipe and the backlog hold together.
        let count = 2_000_000 / Self.line.count
        for _ in 0..<count { writer.write(Self.line) }
        let dropped = writer.dropped
        #expect(dropped > 0)
        #expect(!writer.finish(within: .milliseconds(50)))
        let handle = pipe.fileHandleForReading
        var text = ""
        while Self.told(in: text) < dropped { text += String(decoding: handle.availableData, as: UTF8.self) }
        #expect(Self.told(in: text) == dropped)
        #expect(writer.finish(within: .seconds(10)))
    }

    @Test func `lines for a reader that is gone are dropped and counted`() {
        signal(SIGPIPE, SIG_IGN)
        let pipe = Pipe()
        pipe.fileHandleForReading.closeFile()
        let writer = MessageWriter(descriptor: pipe.fileHandleForWriting.fileDescriptor)
        writer.write(Self.line)
        writer.write(Self.line)
        #expect(writer.finish(within: .seconds(10)))
        #expect(writer.dropped == 2)
    }
}
