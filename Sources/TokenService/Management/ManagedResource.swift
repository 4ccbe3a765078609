import Core
import Policy
import Store

/// One kind of record that calls are about: what a caller sees of it, and what its changes are.
protocol ManagedResource {
    associatedtype Record

    /// What the record is called in contents and events: "api_key".
    static var name: String { get }
    /// Records belong to realms. Others are out of reach for a credential that is locked to one.
    static var isRealmBound: Bool { get }
    /// Records belong to organisations, and a path may confine a route to one.
    static var isInOrganizations: Bool { get }
    var context: ManagementContext { get }
    var call: ManagementCall { get }

    /// Every record, before it is asked who may see it.
    func all() -> [Record]
    func lookup(_ id: String) -> Record?
    func id(of record: Record) -> String
    /// The record belongs to what the route and the caller's credential are confined to.
    func isVisible(_ record: Record) -> Bool
    /// Reads a list's own parameters and says which records they leave.
    func filter(_ parameters: inout ParameterReader) throws(ActionRefusal) -> (Record) -> Bool
    func describe(_ record: Record) -> ObjectText
    /// The same with what is told only to who may know it and asks for it.
    func describeInFull(_ record: Record) -> ObjectText
    /// Reads the parameters of looking records up; true when they are to be told in full.
    func wantsAll(_ parameters: inout ParameterReader) throws(ActionRefusal) -> Bool

    func create(_ prepared: inout PreparedCall) throws(ActionRefusal) -> ManagementDecision
    func update(_ record: Record, _ prepared: inout PreparedCall) throws(ActionRefusal) -> ManagementDecision
    func remove(_ record: Record, _ prepared: inout PreparedCall) throws(ActionRefusal) -> ManagementDecision
    /// Does what a last path segment names; `resourceNotFound` for what it does not know.
    func perform(
        _ operation: String, on record: Record, _ prepared: inout PreparedCall
    ) throws(ActionRefusal) -> ManagementDecision
}

extension ManagedResource {
    func describeInFull(_ record: Record) -> ObjectText { describe(record) }

    func wantsAll(_ parameters: inout ParameterReader) throws(ActionRefusal) -> Bool { false }

    func perform(
        _ operation: String, on record: Record, _ prepared: inout PreparedCall
    ) throws(ActionRefusal) -> ManagementDecision {
        throw ActionRefusal(.resourceNotFound)
    }

    /// Decides one call.
    func decide(_ prepared: PreparedCall) throws(ActionRefusal) -> ManagementDecision {
        var prepared = prepared
        let shape = call.configuration.shape
        if !Self.isRealmBound, call.caller.realmLock != nil, !call.caller.grantsAnything {
            throw ActionRefusal(.realmNotAllowed)
        }
        if !Self.isInOrganizations, call.organization != nil { throw ActionRefusal(.resourceNotFound) }
        guard let id = prepared.call.item else {
            switch call.method {
            case .get, .head: return try list(&prepared.parameters)
            case .post: return try create(&prepared).answered(with: shape.createdStatus)
            case .put, .delete, .patch, .options, .trace, .connect, .other: throw ActionRefusal(.methodNotAllowed)
            }
        }
        guard let record = lookup(id), isVisible(record) else { throw ActionRefusal(.resourceNotFound) }
        if let operation = call.operation {
            guard call.method == .post else { throw ActionRefusal(.methodNotAllowed) }
            return try perform(operation, on: record, &prepared)
        }
        switch call.method {
        case .get, .head:
            let isFull = try wantsAll(&prepared.parameters)
            try close(&prepared.parameters)
            return ManagementDecision(body: (isFull ? describeInFull(record) : describe(record)).closed)
        case .put, .patch: return try update(record, &prepared).answered(with: shape.updatedStatus)
        case .delete: return try remove(record, &prepared).answered(with: shape.deletedStatus)
        case .post, .options, .trace, .connect, .other: throw ActionRefusal(.methodNotAllowed)
        }
    }

    private func list(_ parameters: inout ParameterReader) throws(ActionRefusal) -> ManagementDecision {
        let page = CollectionPage(&parameters)
        let isWanted = try filter(&parameters)
        let isFull = try wantsAll(&parameters)
        try close(&parameters)
        let (records, hasMore) = try page.select(from: all().filter { isVisible($0) && isWanted($0) }, id: id)
        var collection: [UInt8] = [0x5B]
        for (index, record) in records.enumerated() {
            if index > 0 { collection.append(0x2C) }
            collection += (isFull ? describeInFull(record) : describe(record)).closed
        }
        collection.append(0x5D)
        guard case .object(let items, let more) = call.configuration.shape.list else { return ManagementDecision(body: collection) }
        var answer = ObjectText()
        answer.add(more, hasMore)
        answer.add(json: items, collection)
        return ManagementDecision(body: answer.closed)
    }

    /// Nothing unknown may be left, and nothing may have been wrong.
    func close(_ parameters: inout ParameterReader) throws(ActionRefusal) {
        parameters.complainOfUnknown()
        try parameters.finish()
    }

    /// Reads the object that the content carries under the record's name. Without it there is nothing to go on.
    func content(_ prepared: inout PreparedCall) throws(ActionRefusal) -> ParameterReader {
        guard let content = prepared.content(named: Self.name) else {
            if prepared.parameters.messages.isEmpty {
                prepared.parameters.complain("\(ParameterReader.label(Self.name)) can't be blank")
            }
            try prepared.parameters.finish()
            throw ActionRefusal(.parametersInvalid)
        }
        return content
    }

    /// Ends the reading of a content and of what stands around it.
    func close(_ content: inout ParameterReader, _ prepared: inout PreparedCall) throws(ActionRefusal) {
        content.complainOfUnknown()
        prepared.parameters.complainOfUnknown()
        for message in prepared.parameters.messages { content.complain(message) }
        try content.finish()
    }

    func event(_ name: String, _ id: String, label: String? = nil, changed: [String] = []) -> AuditEvent {
        AuditEvent(
            name: name, objectType: Self.name, objectID: id, objectName: label, realm: call.realm, changed: changed,
            caller: call.caller, at: call.now)
    }

    /// The scopes may be given away by the caller.
    func requireGrantable(_ scopes: [String]) throws(ActionRefusal) {
        let missing = call.caller.ungrantable(scopes)
        guard missing.isEmpty else {
            throw ActionRefusal(
                .scopeMissing, messages: missing.prefix(8).map { "Scopes include \($0), which the caller does not have" })
        }
    }

    /// For what only callers may do who can give away anything.
    func requireAnyGrant(_ what: String) throws(ActionRefusal) {
        guard call.caller.grantsAnything else { throw ActionRefusal(.scopeMissing, messages: ["\(what) may not be set by this caller"]) }
    }

    /// The caller has a role himself where a membership gives it: in the whole organisation, or in that project.
    func holds(_ role: String, _ place: StoredMembership.Identity) -> Bool {
        guard let user = callingUser else { return false }
        var own = place
        own.user = user.id
        let inPlace = context.index.memberships[own]?.role
        own.project = nil
        return inPlace == role || context.index.memberships[own]?.role == role
    }

    /// The user behind the caller, if he is one.
    var callingUser: StoredUser? { call.caller.subject.flatMap { context.index.users[$0] } }
}
