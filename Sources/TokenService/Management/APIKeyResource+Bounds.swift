import Core
import Policy
import Store

/// No key is confined less than the credential of whoever makes it, gets its secret or widens it, unless he may grant anything.
extension APIKeyResource {
    /// When a secret ends that the caller makes without saying when.
    var boundEnd: WallTime? { call.caller.grantsAnything ? nil : call.caller.bounds.expiresAt }

    /// Gives a new key the bounds of the caller's credential where the content names none.
    func confine(_ record: inout StoredKey) throws(ActionRefusal) {
        if call.caller.grantsAnything { return }
        let bounds = call.caller.bounds
        if let addresses = bounds.addresses, record.allowedAddresses.isEmpty {
            record.allowedAddresses = addresses.blocks
            guard 1...APIKeyBounds.addressBlocks ~= record.allowedAddresses.count else { throw Self.refusal("Allow ips") }
        }
        if record.limits.isEmpty { record.limits = bounds.limits }
        for index in record.secrets.indices where record.secrets[index].expiresAt == nil {
            record.secrets[index].expiresAt = bounds.expiresAt
        }
        for secret in record.secrets { try requireBounds(of: record, endingAt: secret.expiresAt) }
    }

    /// What a change adds to a key may be added by the caller.
    func requireWidenable(_ record: StoredKey, to changed: StoredKey) throws(ActionRefusal) {
        let isWider = !Self.covers(record.allowedAddresses, changed.allowedAddresses)
        let isStronger =
            changed.isEnabled && !record.isEnabled || !changed.scopes.allSatisfy { record.scopes.contains($0) }
        guard isWider || isStronger else { return }
        try requireOwn(record, "key")
        if isStronger {
            for secret in changed.secrets { try requireBounds(of: changed, endingAt: secret.expiresAt) }
        } else {
            try requireAddresses(of: changed)
        }
    }

    /// The key stands for nobody else.
    func requireOwn(_ record: StoredKey, _ what: String) throws(ActionRefusal) {
        if let owner = record.owner, owner != callingUser?.id { try requireAnyGrant("Another user's \(what)") }
        if record.subject != record.id, record.subject != record.owner { try requireAnyGrant("Another subject's \(what)") }
    }

    /// A key with a secret that ends then is confined at least as the caller's credential is.
    func requireBounds(of record: StoredKey, endingAt end: WallTime?) throws(ActionRefusal) {
        if call.caller.grantsAnything { return }
        try requireAddresses(of: record)
        let bounds = call.caller.bounds
        // Credentials know their end to the second.
        if let last = bounds.expiresAt, end.map({ $0.seconds > last.seconds }) ?? true { throw Self.refusal("Expires in") }
        // Somebody chose the limits of a user's key for that user.
        let isOwn = bounds.limits.isEmpty && record.owner != nil && record.owner == callingUser?.id
        if record.limits != bounds.limits, !isOwn { throw Self.refusal("Limits") }
    }

    private func requireAddresses(of record: StoredKey) throws(ActionRefusal) {
        guard !call.caller.grantsAnything, let allowed = call.caller.bounds.addresses else { return }
        let addresses = AddressSet(record.allowedAddresses)
        guard !addresses.isEmpty, addresses.isSubset(of: allowed) else { throw Self.refusal("Allow ips") }
    }

    /// Empty lists allow every address.
    private static func covers(_ blocks: [CIDRBlock], _ others: [CIDRBlock]) -> Bool {
        blocks.isEmpty || !others.isEmpty && AddressSet(others).isSubset(of: AddressSet(blocks))
    }

    private static func refusal(_ what: String) -> ActionRefusal {
        ActionRefusal(.scopeMissing, messages: ["\(what) may not go beyond what the caller's credential is confined to"])
    }
}
