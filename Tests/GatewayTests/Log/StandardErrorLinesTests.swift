import Core
import Logging
import Testing

@testable import Gateway

@Suite struct StandardErrorLinesTests {
    @Test func `a message is one line with time, level and sorted members`() {
        let lines = StandardErrorLines(logLevel: .info)
        let event = LogEvent(
            level: .warning, message: "old\npolicy\u{7F} stays", metadata: ["b": "2", "a": "x\ry"], source: nil,
            file: "", function: "", line: 0)
        let line = lines.line(for: event, at: WallTime(nanoseconds: 951_827_696_007_000_000))
        #expect(
            String(decoding: line, as: UTF8.self)
                == "2000-02-29T12:34:56.007Z warning old policy  stays a=x y b=2\n")
    }
}
