import Core
package import Policy

/// Who asked for work, for the order in which it is done.
package enum Requester: Hashable, Sendable {
    /// The admin listener and the command line: ahead of all callers of routes.
    case administrator
    /// A caller of routes: its work waits behind its own, and takes turns with that of others.
    case caller(String)
}

extension ActionRequest {
    /// The subject of the credential, so that a user with many keys is one caller; else the credential; else the address
    /// (IPv6: /64).
    package var requester: Requester {
        if let subject = identity.subject { return .caller("subject \(subject)") }
        if let credential = identity.credentialID { return .caller("credential \(credential)") }
        return .caller("address \(client.accountable)")
    }
}
