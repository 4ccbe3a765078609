package import Core
package import Store

/// That somebody changed what the store keeps: who, what and when. It never holds a secret.
package struct AuditEvent: Sendable {
    /// Unique; what receivers tell repeated deliveries by.
    package var id: String
    /// "api_key.created", "realm.updated".
    package var name: String
    /// "api_key"
    package var objectType: String
    package var objectID: String
    /// What people call it: a key's name, a user's e-mail address.
    package var objectName: String?
    package var realm: String?
    /// What happened to the object, where the event is named after something else.
    package var cause: String?
    /// The names of what was changed.
    package var changed: [String]
    package var caller: ManagementCaller
    package var at: WallTime

    package init(
        name: String, objectType: String, objectID: String, objectName: String? = nil, realm: String? = nil,
        cause: String? = nil, changed: [String] = [], caller: ManagementCaller, at: WallTime
    ) {
        id = RecordID.make(.event, at: at)
        self.name = name
        self.objectType = objectType
        self.objectID = objectID
        self.objectName = objectName
        self.realm = realm
        self.cause = cause
        self.changed = changed
        self.caller = caller
        self.at = at
    }

    /// A signing key was made, or went: what a realm's tokens are verified with changes.
    /// - Parameter cause: "jwt_key.created", "jwt_key.deleted".
    package static func realmUpdated(
        _ key: StoredSigningKey, cause: String, caller: ManagementCaller = .gateway, at now: WallTime
    ) -> AuditEvent {
        AuditEvent(
            name: "realm.updated", objectType: JWTKeyResource.name, objectID: key.id, realm: key.realm, cause: cause,
            caller: caller, at: now)
    }

    /// One JSON object on one line, without line feed.
    package var json: [UInt8] {
        var object = ObjectText()
        object.add("type", objectType)
        object.add("id", objectID)
        if let objectName { object.add("name", objectName) }
        var actor = ObjectText()
        actor.add(optional: "method", caller.method)
        actor.add(optional: "credential", caller.credential)
        actor.add(optional: "subject", caller.subject)
        actor.add(optional: "address", caller.address.map(\.description))
        var text = ObjectText()
        text.add("id", id)
        text.add("time", at)
        text.add("event", name)
        if let cause { text.add("cause", cause) }
        text.add(json: "object", object.closed)
        if let realm { text.add("realm_id", realm) }
        if !changed.isEmpty { text.add("changed", changed) }
        text.add(json: "actor", actor.closed)
        text.add(optional: "request_id", caller.requestID)
        return text.closed
    }
}
