import Core

func parsed(_ text: String, depthLimit: Int = FixedBounds.jsonDepth) throws(JSONError) -> JSONNode {
    try JSONNode.parse(text.utf8.span, depthLimit: depthLimit)
}

func parsed(_ bytes: [UInt8]) throws(JSONError) -> JSONNode {
    try JSONNode.parse(bytes.span)
}

func serialised(_ node: JSONNode) -> String {
    var bytes: [UInt8] = []
    bytes.append(json: node)
    return String(decoding: bytes, as: UTF8.self)
}

/// The error a text is refused with, nil when it is read.
func refusal(of bytes: [UInt8], depthLimit: Int = FixedBounds.jsonDepth) -> JSONError? {
    do throws(JSONError) {
        _ = try JSONNode.parse(bytes.span, depthLimit: depthLimit)
        return nil
    } catch {
        return error
    }
}

func refusal(of text: String) -> JSONError? { refusal(of: Array(text.utf8)) }

/// Equal values, member order and number spelling included, wherever they stood.
func sameValue(_ a: JSONNode, _ b: JSONNode) -> Bool {
    switch (a.value, b.value) {
    case (.null, .null): true
    case (.bool(let x), .bool(let y)): x == y
    case (.number(let x), .number(let y)): x.text == y.text
    case (.string(let x), .string(let y)): Array(x.utf8) == Array(y.utf8)
    case (.array(let x), .array(let y)): x.count == y.count && zip(x, y).allSatisfy(sameValue)
    case (.object(let x), .object(let y)):
        x.count == y.count && zip(x, y).allSatisfy { $0.name == $1.name && sameValue($0.node, $1.node) }
    default: false
    }
}
