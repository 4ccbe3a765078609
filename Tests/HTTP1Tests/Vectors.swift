import Foundation

/// The conformance files under Tests/Vectors/HTTP1.
enum Vectors {
    static let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .appending(path: "Vectors/HTTP1")

    static func json<Value: Decodable>(_ name: String, as type: Value.Type = Value.self) throws -> Value {
        try JSONDecoder().decode(type, from: Data(contentsOf: folder.appending(path: name)))
    }

    /// `raw` with a Host line in every HTTP/1.1 head that has none, for cases whose author did not care about Host.
    static func addingHost(_ raw: [UInt8]) -> [UInt8] {
        var lines = String(raw.map { Character(Unicode.Scalar($0)) }).components(separatedBy: "\r\n")
        for index in lines.indices.reversed() {
            let words = lines[index].split(separator: " ", omittingEmptySubsequences: false)
            guard words.count == 3, words[2] == "HTTP/1.1" else { continue }
            let fields = lines[(index + 1)...].prefix { !$0.isEmpty }
            if fields.contains(where: { $0.lowercased().hasPrefix("host:") }) { continue }
            lines.insert("Host: gw.test", at: index + 1)
        }
        return lines.joined(separator: "\r\n").unicodeScalars.map { UInt8(truncatingIfNeeded: $0.value) }
    }
}
