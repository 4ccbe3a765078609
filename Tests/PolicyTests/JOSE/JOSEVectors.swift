import Core
import Foundation
import Testing

/// Files under Tests/Vectors, and the JSON in them.
enum JOSEVectors {
    static func json(_ path: String, file: String = #filePath) throws -> JSONNode {
        var folder = URL(fileURLWithPath: file)
        for _ in 0..<3 { folder.deleteLastPathComponent() }
        let bytes = [UInt8](try Data(contentsOf: folder.appendingPathComponent("Vectors/\(path)")))
        return try JSONNode.parse(bytes.span)
    }
}

struct VectorError: Error {
    let member: String
}

extension JSONNode {
    func string(_ name: String) throws -> String {
        guard case .string(let text) = try #require(self[name]).value else { throw VectorError(member: name) }
        return text
    }

    func list(_ name: String) throws -> [JSONNode] {
        guard case .array(let elements) = try #require(self[name]).value else { throw VectorError(member: name) }
        return elements
    }

    /// The node as JSON text, without the members named.
    func text(without names: Set<String> = []) -> String {
        var bytes: [UInt8] = []
        if case .object(let members) = value {
            let kept = members.filter { !names.contains($0.name) }
            bytes.append(json: JSONNode(.object(kept), at: position))
        } else {
            bytes.append(json: self)
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
