import Core

/// The pointers of one authenticator into claims, compiled.
struct ClaimPointers: Sendable {
    /// One place in claims.
    struct Claim: Sendable {
        let pointer: JSONPointer
        /// How faults name it: by the name of a claim on top, else by the pointer.
        let name: String

        init(_ text: String) throws(MalformedPointer) {
            pointer = try compile(text)
            name = pointer.names.count == 1 ? pointer.names[0] : text
        }
    }

    let subject: Claim
    /// Nil for `scope`, else `scp`.
    let scopes: Claim?
    let addresses: Claim
    /// Tokens of every issuer name their addresses there; else only those that the gateway signed.
    let readsAddresses: Bool
    let required: [RequiredClaim]

    init(_ rules: JWTAuthenticatorConfiguration) throws(MalformedPointer) {
        subject = try Claim(rules.subjectClaim)
        if let claim = rules.scopesClaim {
            scopes = try Claim(claim)
        } else {
            scopes = nil
        }
        addresses = try Claim(rules.addressesClaim ?? JWTAuthenticatorConfiguration.derivedAddressesClaim)
        readsAddresses = rules.addressesClaim != nil || rules.derivedFrom != nil
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
