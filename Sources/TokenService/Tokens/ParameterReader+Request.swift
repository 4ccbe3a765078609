import Core
import Policy

extension ParameterReader {
    /// The members of query and content together; content is JSON or a form.
    /// - Parameter isOptional: no member is asked for, so that `null` and `[]` are content without any: JavaScript writes an object
    ///   that is missing like this, and PHP an array that is empty.
    init(_ request: ActionRequest, isOptional: Bool = false) throws(ActionRefusal) {
        self.init()
        try add(query: request.query)
        try add(contentOf: request, isOptional: isOptional)
    }

    /// The members of the content alone. In JSON a number and a truth value may be a string too, as it is in a form.
    mutating func add(contentOf request: ActionRequest, isOptional: Bool = false) throws(ActionRefusal) {
        if request.content.isEmpty { return }
        switch request.contentType {
        case "application/json": add(try Self.json(request.content, isOptional: isOptional), isSpelled: true)
        case "application/x-www-form-urlencoded": try add(form: request.content)
        case .some, nil: throw ActionRefusal(.contentTypeNotSupported)
        }
    }

    private static func json(_ content: [UInt8], isOptional: Bool) throws(ActionRefusal) -> [JSONMember] {
        do throws(JSONError) {
            let node = try JSONNode.parse(content.span, depthLimit: 8)
            switch node.value {
            case .object(let members): return members
            case .null where isOptional: return []
            case .array(let elements) where isOptional && elements.isEmpty: return []
            case .null, .bool, .number, .string, .array: break
            }
        } catch {
            throw ActionRefusal(.contentMalformed, messages: ["Content is not JSON: \(error.message)"])
        }
        throw ActionRefusal(.contentMalformed, messages: ["Content is not a JSON object"])
    }
}
