import Core
import Foundation
import Testing

/// Files under Tests/Vectors, and the JSON in them.
enum Vectors {
    static func bytes(_ path: String, file: String = #filePath) throws -> [UInt8] {
        let tests = URL(fileURLWithPath: file).deletingLastPathComponent().deletingLastPathComponent()
        return [UInt8](try Data(contentsOf: tests.appendingPathComponent("Vectors").appendingPathComponent(path)))
    }

    static func json(_ path: String) throws -> JSONNode {
        let bytes = try bytes(path)
        return try JSONNode.parse(bytes.span)
    }
}

extension JSONNode {
    func text(_ name: String) throws -> String {
        guard case .string(let text) = try #require(self[name]).value else {
            throw VectorError(member: name)
        }
        return text
    }

    func hex(_ name: String) throws -> [UInt8] {
        let text = try text(name)
        let bytes = Hex.decode(text.utf8.span)
        return try #require(bytes)
    }

    func base64URL(_ name: String) throws -> [UInt8] {
        let text = try text(name)
        let bytes = Base64URL.decode(text.utf8.span)
        return try #require(bytes)
    }

    func elements(_ name: String) throws -> [JSONNode] {
        guard case .array(let elements) = try #require(self[name]).value else { throw VectorError(member: name) }
        return elements
    }
}

struct VectorError: Error {
    let member: String
}

/// The bytes of an ASCII text.
func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

/// The bytes of a hexadecimal text that is a constant of a test.
func hex(_ text: String) throws -> [UInt8] {
    let bytes = Hex.decode(text.utf8.span)
    return try #require(bytes)
}

extension VerificationKey {
    func accepts(_ signature: [UInt8], of message: [UInt8], _ algorithm: SignatureAlgorithm) -> Bool {
        verifies(signature.span, of: message.span, using: algorithm)
    }
}
