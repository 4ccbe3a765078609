private import Core

/// A list of texts in one column, as a JSON array.
enum TextList {
    static func encode(_ texts: [String]) -> SQLValue {
        var bytes: [UInt8] = []
        bytes.append(json: JSONNode(.array(texts.map { JSONNode(.string($0), at: start) }), at: start))
        return .text(String(decoding: bytes, as: UTF8.self))
    }

    static func decode(_ text: String) throws(StoreFault) -> [String] {
        // Most lists are empty, and there may be hundreds of thousands of them.
        if text == "[]" { return [] }
        guard let node = try? JSONNode.parse(text.utf8.span), case .array(let elements) = node.value else {
            throw .unavailable("it is damaged: no list of texts")
        }
        var texts: [String] = []
        for element in elements {
            guard case .string(let text) = element.value else { throw .unavailable("it is damaged: no list of texts") }
            texts.append(text)
        }
        return texts
    }

    private static let start = SourcePosition(line: 1, column: 1)
}
