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

    @Test(arguments: ["\u{85}", "\u{9B}", "\u{2028}", "\u{2029}", "\u{202E}", "\u{2066}", "\u{1B}"])
    func `no character of a message forges a line or turns one round`(hazard: String) {
        let lines = StandardErrorLines(logLevel: .info)
        let event = LogEvent(
            level: .info, message: "é\(hazard)x", metadata: nil, source: nil, file: "", function: "", line: 0)
        let line = String(decoding: lines.line(for: event, at: WallTime(nanoseconds: 0)), as: UTF8.self)
        #expect(line == "1970-01-01T00:00:00.000Z info é x\n")
        #expect(OneLine.plain("a\(hazard)b") == "a?b" && OneLine.quoted("a\(hazard)b") == "a?b")
    }
}
