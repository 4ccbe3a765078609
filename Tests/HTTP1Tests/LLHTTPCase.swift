import Foundation

/// One test of llhttp's Markdown files: a message and llhttp's log of reading it.
struct LLHTTPCase: CustomStringConvertible, Sendable {
    var title: String
    var isRequest: Bool
    var input: [UInt8]
    /// llhttp ends in an error that is a refusal, not a pause.
    var isRefused: Bool
    var description: String { title }

    /// The cases of a folder that run with llhttp's defaults: no leniency, no pauses, no bodies left out.
    static func all(in folder: String) throws -> [LLHTTPCase] {
        let url = Vectors.folder.appending(path: "llhttp/\(folder)")
        let names = try FileManager.default.contentsOfDirectory(atPath: url.path).sorted()
        return try names.flatMap { name in
            let text = try String(contentsOf: url.appending(path: name), encoding: .utf8)
            return cases(in: text, file: name)
        }
    }

    private static func cases(in text: String, file: String) -> [LLHTTPCase] {
        var result: [LLHTTPCase] = []
        var title = ""
        var meta = ""
        var input = ""
        var block: (language: String, lines: [String])?
        for line in text.components(separatedBy: "\n") {
            if let open = block {
                if line == "```" {
                    if open.language == "http" { input = open.lines.joined(separator: "\n") }
                    if open.language == "log" {
                        let log = open.lines.joined(separator: "\n")
                        result += made(title: "\(file): \(title)", meta: meta, input: input, log: log)
                    }
                    block = nil
                } else {
                    block?.lines.append(line)
                }
            } else if line.hasPrefix("```") {
                block = (String(line.dropFirst(3)), [])
            } else if line.hasPrefix("#") {
                title = line.drop { $0 == "#" || $0 == " " }.description
            } else if line.contains("meta=") {
                meta = line
            }
        }
        return result
    }

    private static func made(title: String, meta: String, input: String, log: String) -> [LLHTTPCase] {
        let compact = meta.replacing(" ", with: "")
        let isRequest = compact.contains("\"type\":\"request\"")
        guard isRequest || compact.contains("\"type\":\"response\"") else { return [] }
        guard !compact.contains("\"pause\""), !compact.contains("\"skipBody\"") else { return [] }
        let error = log.split(separator: "\n").last { $0.contains(" error code=") }
        let pauses = ["code=5 ", "code=21 ", "code=22 ", "code=23 ", "code=31 "]
        let isRefused = error.map { line in !pauses.contains { line.contains($0) } } ?? false
        return [LLHTTPCase(title: title, isRequest: isRequest, input: unescaped(input), isRefused: isRefused)]
    }

    /// llhttp's notation: a backslash at the end of a line joins it with the next, a line ends in CR LF, and `\r`,
    /// `\n`, `\t`, `\f` and `\xHH` stand for bytes.
    private static func unescaped(_ input: String) -> [UInt8] {
        let lines = input.replacing("\\\n", with: "").replacing("\n", with: "\r\n")
        var bytes: [UInt8] = []
        var rest = Array(lines.utf8)[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "\\"), let escape = rest.first else {
                bytes.append(byte)
                continue
            }
            switch escape {
            case UInt8(ascii: "r"): bytes.append(0x0D)
            case UInt8(ascii: "n"): bytes.append(0x0A)
            case UInt8(ascii: "t"): bytes.append(0x09)
            case UInt8(ascii: "f"): bytes.append(0x0C)
            case UInt8(ascii: "x"):
                bytes.append(UInt8(String(decoding: rest.dropFirst().prefix(2), as: UTF8.self), radix: 16) ?? 0)
                rest = rest.dropFirst(2)
            default:
                bytes.append(byte)
                continue
            }
            rest = rest.dropFirst()
        }
        return bytes
    }
}
