import Core
import Policy

/// How a caller is named where callers are counted: the credential's id, the subject, the fingerprint of what was shown, or
/// the address. Never a secret.
enum CallerName {
    /// Empty when nothing is known of the caller.
    static func of(_ identity: Identity, fingerprint: UInt32?, client: IPAddress?) -> [UInt8] {
        var name: [UInt8] = []
        if identity.appendCredential(to: &name) || identity.appendSubject(to: &name) { return name }
        if let fingerprint {
            name.append("fingerprint ")
            name.append(hexadecimal: fingerprint)
        } else if let client {
            client.accountable.append(to: &name)
        }
        return name
    }
}
