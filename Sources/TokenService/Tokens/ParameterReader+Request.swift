import Core
import Policy

extension ParameterReader {
    /// The members of query and content together; content is JSON or a form.
    init(_ request: ActionRequest) throws(ActionRefusal) {
        self.init()
        try add(query: request.query)
        try add(contentOf: request)
    }

    /// The members of the content alone.
    mutating func add(contentOf request: ActionRequest) throws(ActionRefusal) {
        if request.content.isEmpty { return }
        switch request.contentType {
        case "application/json": add(try Self.json(request.content), isSpelled: false)
        case "application/x-www-form-urlencoded": try add(form: request.content)
        case .some, nil: throw ActionRefusal(.contentTypeNotSupported)
        }
    }

    private static func json(_ content: [UInt8]) throws(ActionRefusal) -> [JSONMember] {
        do throws(JSONError) {
            let node = try JSONNode.parse(content.span, depthLimit: 8)
            if case .object(let members) = node.value { return members }
        } catch {
            throw ActionRefusal(.contentMalformed, messages: ["Content is not JSON: \(error.message)"])
        }
        throw ActionRefusal(.contentMalformed, messages: ["Content is not a JSON object"])
    }
}
