import Core
import Policy

/// A call whose content has been read, with what has been made for it so far: nothing here is done while others wait for the store.
struct PreparedCall {
    var call: ManagementCall
    /// The members of query and content together; of the query alone where contents have the record's members at the top.
    var parameters: ParameterReader
    /// The members of such a content.
    private var topMembers = ParameterReader()
    /// The query, with what the path has of it.
    private var query: [UInt8]
    /// What took long to make.
    var made = MadeMaterial()

    /// The answer of a list or of one record is no business of content; everything else takes JSON or a form.
    init(_ call: ManagementCall) throws(ActionRefusal) {
        self.call = call
        parameters = ParameterReader()
        query = call.query
        if let item = call.item, let ampersand = item.utf8.firstIndex(of: 0x26) {
            // The published example writes `DELETE /v1/jwt_keys/:key_id&force=true`.
            guard call.method == .delete, call.configuration.resource == .jwtKeys else { throw ActionRefusal(.resourceNotFound) }
            self.call.item = String(item[..<ampersand])
            if !query.isEmpty { query.append(0x26) }
            query.append(contentsOf: item.utf8[ampersand...].dropFirst())
        }
        try parameters.add(query: query)
        try readContent()
        try readRealm()
    }

    /// The realm that the call names; a credential's lock stands above it. Read by the one function that reads realms for
    /// requests to upstreams.
    private mutating func readRealm() throws(ActionRefusal) {
        var rule = call.requestRealm ?? RequestRealm(lock: call.caller.realmLock, isRequired: false)
        let name = rule.parameter ?? Self.realmName
        _ = parameters.text(String(decoding: name.bytes, as: UTF8.self))
        _ = topMembers.text(String(decoding: name.bytes, as: UTF8.self))
        do throws(Denial) {
            rule.query = try RealmContent.realms(named: name, in: query, mediaType: "application/x-www-form-urlencoded")
            let content = call.content.isEmpty
                ? NamedRealms() : try RealmContent.realms(named: name, in: call.content, mediaType: call.contentType)
            call.realm = try rule.resolved(content: content) ?? call.realm
        } catch {
            throw ActionRefusal(error)
        }
    }

    private static let realmName = ParameterName("realm_id")

    private mutating func readContent() throws(ActionRefusal) {
        if call.content.isEmpty { return }
        switch call.contentType {
        case "application/json": add(try Self.json(call.content), isSpelled: false)
        case "application/x-www-form-urlencoded": add(try ParameterReader.members(ofForm: call.content), isSpelled: true)
        case .some, nil: throw ActionRefusal(.contentTypeNotSupported)
        }
    }

    private mutating func add(_ members: [JSONMember], isSpelled: Bool) {
        if call.configuration.shape.isWrapped {
            parameters.add(members, isSpelled: isSpelled)
        } else {
            topMembers.add(members, isSpelled: isSpelled)
        }
    }

    /// The members that the content carries for a record; nil where it has no object of that name and should have.
    mutating func content(named name: String) -> ParameterReader? {
        let shape = call.configuration.shape
        var content = shape.isWrapped ? parameters.object(name) : topMembers
        content?.rename(shape.members)
        return content
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
