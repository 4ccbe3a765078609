import Core

/// The pointers of one authenticator into claims, compiled.
struct ClaimPointers: Sendable {
    let subject: JSONPointer
    /// Nil for `scope`, else `scp`.
    let scopes: JSONPointer?
    let addresses: JSONPointer
    let required: [RequiredClaim]

    init(_ rules: JWTAuthenticatorConfiguration) throws(MalformedPointer) {
        subject = try Self.compile(rules.subjectClaim)
        if let claim = rules.scopesClaim {
            scopes = try Self.compile(claim)
        } else {
            scopes = nil
        }
        addresses = try Self.compile(rules.addressesClaim)
        var required: [RequiredClaim] = []
        for claim in rules.requiredClaims {
            required.append(RequiredClaim(pointer: try Self.compile(claim.pointer.value), value: claim.value))
        }
        self.required = required
    }

    private static func compile(_ text: String) throws(MalformedPointer) -> JSONPointer {
        guard let pointer = JSONPointer(text) else { throw MalformedPointer(text: text) }
        return pointer
    }
}

/// A claim's place in the configuration that is no JSON Pointer (RFC 6901).
package struct MalformedPointer: Error, Equatable, Sendable {
    package let text: String
}
