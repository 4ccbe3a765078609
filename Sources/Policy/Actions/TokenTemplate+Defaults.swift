extension TokenTemplate {
    /// The claims of a file that says nothing of them (RFC 7519 §4.1, RFC 9068 §2.2); `id` is what ties the token to a key.
    package static let standardClaims = object(
        ["jti": .tokenID, "sub": .subject, "iat": .issuedAt, "exp": .expiresAt, "scope": .scopes, "id": .family])

    /// The answer of a file that says nothing of it (RFC 6749 §5.1).
    package static let standardAnswer = TokenTemplate.object([
        Member(name: "access_token", value: .value(.token)), Member(name: "token_type", value: .text([.literal("Bearer")])),
        Member(name: "expires_in", value: .value(.expiresIn)), Member(name: "refresh_token", value: .value(.refreshToken)),
        Member(name: "scope", value: .value(.scopes)),
    ])

    private static func object(_ members: KeyValuePairs<String, TokenPlaceholder>) -> TokenTemplate {
        .object(members.map { Member(name: $0.key, value: .value($0.value)) })
    }
}
