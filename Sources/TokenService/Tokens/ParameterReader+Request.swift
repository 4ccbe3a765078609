import Core
import Policy

extension ParameterReader {
    /// The members of query and content together; content is JSON or a form.
    init(_ request: ActionRequest) throws(ActionRefusal) {
        self.init()
        try add(query: request.query)
        try add(contentOf: request)
    }

    /// The members of the content alone. In JSON a number and a truth value may be a string too, as it is in a form.
    mutating func add(contentOf request: ActionRequest) throws(ActionRefusal) {
        if request.content.isEmpty { return }
        switch request.contentType {
        case "application/json": add(try Self.json(request.content), isSpelled: true)
        case "application/x-www-form-urlencoded": try add(form: request.content)
        case .some, nil: throw ActionRefusal(.contentTypeNotSupported)
        }
    }

    private static func json(_ content: [UInt8]) throws(ActionRefusal) -> [JSONMember] {
        do throws(JSONError) {
            let node = try JSONNode.parse(content.span, depthLimit: 8)
            switch node.value {
            case .object(let members): return members
            // What clients make of an object without members: JavaScript of one that is missing, PHP of an empty array.
            case .null: return []
            case .array(let elements) where elements.isEmpty: return []
            case .bool, .number, .string, .array: break
            }
        } catch {
            throw ActionRefusal(.contentMalformed, messages: ["Content is not JSON: \(error.message)"])
        }
        throw ActionRefusal(.contentMalformed, messages: ["Content is not a JSON object"])
    }
}
