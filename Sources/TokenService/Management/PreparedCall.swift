import Core
import Policy

/// A call whose content has been read, with what takes long to make already made: nothing here is done while others wait
/// for the store.
struct PreparedCall {
    var call: ManagementCall
    /// The members of query and content together.
    var parameters: ParameterReader
    /// Of the password that the call sets.
    var passwordHash: String?
    /// The PKCS #8 form of the private key that the call brings, if that is one, or of a new one, where it may need one.
    var privateKey: [UInt8]?

    /// The answer of a list or of one record is no business of content; everything else takes JSON or a form.
    init(_ call: ManagementCall) throws(ActionRefusal) {
        self.call = call
        parameters = ParameterReader()
        var query = call.query
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

    /// The realm that the call names; a credential's lock stands above it.
    private mutating func readRealm() throws(ActionRefusal) {
        let named = parameters.text("realm_id")
        if let rule = call.requestRealm {
            do throws(Denial) {
                call.realm = try rule.resolved(content: rule.parameter == nil ? named : nil) ?? call.realm
            } catch {
                throw ActionRefusal(error)
            }
        } else if let lock = call.caller.realmLock {
            guard named == nil || named == lock else { throw ActionRefusal(.realmNotAllowed) }
            call.realm = lock
        } else if let named {
            call.realm = named
        }
    }

    private mutating func readContent() throws(ActionRefusal) {
        if call.content.isEmpty { return }
        switch call.contentType {
        case "application/json": parameters.add(try Self.json(call.content), isSpelled: false)
        case "application/x-www-form-urlencoded": try parameters.add(form: call.content)
        case .some, nil: throw ActionRefusal(.contentTypeNotSupported)
        }
    }

    /// The same with what takes long to make: the hash of a password, a private key.
    func with(_ maker: MaterialMaker) throws(ActionRefusal) -> PreparedCall {
        var prepared = self
        var parameters = parameters
        switch call.configuration.resource {
        case .users:
            if var content = parameters.object(UserResource.name), let password = content.secretText("password"),
                password.utf8.count <= UserResource.longestPassword
            {
                guard let hash = maker.passwordHash(password) else { throw ActionRefusal(.overloaded) }
                prepared.passwordHash = hash
            }
        case .jwtKeys:
            if call.method == .post, var content = parameters.object(JWTKeyResource.name), content.text("algo") == "rs256" {
                if let given = content.secretText("key") {
                    prepared.privateKey = maker.givenPrivateKey(given)
                } else {
                    guard let key = maker.privateKey() else { throw ActionRefusal(.overloaded) }
                    prepared.privateKey = key
                }
            }
        case .apiKeys, .organizations, .projects, .memberships: break
        }
        return prepared
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
