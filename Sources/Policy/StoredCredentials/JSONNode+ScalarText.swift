import Core

extension JSONNode {
    /// A string, number or boolean as the text that a form holds; nil for null, lists and objects, which a form cannot hold.
    var scalarText: [UInt8]? {
        switch value {
        case .string(let text): Array(text.utf8)
        case .number(let number): Array(number.text.utf8)
        case .bool(let value): Array((value ? "true" : "false").utf8)
        case .null, .array, .object: nil
        }
    }
}
