package import Core

/// A compiled entry of `stored_credentials`: where tokens bring a credential, and how it is refreshed. Immutable.
package final class StoredCredentialRule: Sendable {
    /// A document larger than this is refused.
    package static let documentBytes = 65_536
    /// A key longer than this is no key.
    private static let keyBytes = 8192
    /// A lifetime above this counts as this: ten years.
    private static let lifetimeLimit: Int64 = 315_360_000

    package let name: String
    /// Nil where nothing is kept.
    package let refresh: CredentialRefresh?
    private let claim: JSONPointer
    private let key: JSONPointer
    private let refreshToken: JSONPointer
    private let lifetime: JSONPointer

    init(name: String, _ configuration: StoredCredentialConfiguration, refresh: CredentialRefresh?) throws(MalformedPointer) {
        self.name = name
        self.refresh = refresh
        claim = try Self.compile(configuration.claim.value)
        key = try Self.compile(configuration.key)
        refreshToken = try Self.compile(configuration.refreshToken)
        lifetime = try Self.compile(configuration.lifetime)
    }

    private static func compile(_ text: String) throws(MalformedPointer) -> JSONPointer {
        guard let pointer = JSONPointer(text) else { throw MalformedPointer(text: text) }
        return pointer
    }

    /// What a token brings; nil when it has no such claim.
    package func brought(
        by token: VerifiedToken, now: ClockReading
    ) throws(CredentialDocumentFault) -> UpstreamCredential? {
        guard let node = claim.resolve(in: token.claims) else { return nil }
        let document = try read(node)
        let issuedAt = Self.seconds("iat", of: token)
        let start = issuedAt.map { WallTime(seconds: $0) } ?? now.wall
        return UpstreamCredential(
            document: document, signIn: SignInTime(issuedAt: issuedAt ?? 0, endsAt: Self.seconds("exp", of: token) ?? 0),
            expiresAt: document.lifetime.map { start.advanced(by: $0) }, obtainedAt: now.instant)
    }

    /// Reads what an endpoint answered to a refresh: key and lifetime must be there. Without a refresh token in it, or with null, the one
    /// that was shown stays in use (RFC 6749 §6); the document that comes back has it in its place.
    /// - Parameter used: what the refresh was made with.
    package func refreshed(
        _ bytes: Span<UInt8>, after used: CredentialDocument
    ) throws(CredentialDocumentFault) -> CredentialDocument {
        let document = try read(kept: bytes)
        guard document.lifetime != nil else { throw .lifetimeInvalid }
        if document.isRefreshable { return document }
        guard let token = Self.stated(refreshToken, in: used.node), let node = refreshToken.setting(token, in: document.node) else {
            throw .refreshTokenInvalid
        }
        let whole = try read(node)
        // It is read again when it was kept, and must not be too large for that.
        guard whole.bytes.count <= Self.documentBytes else { throw .tooLarge }
        return whole
    }

    /// Reads a document that was kept.
    package func read(kept bytes: Span<UInt8>) throws(CredentialDocumentFault) -> CredentialDocument {
        guard bytes.count <= Self.documentBytes else { throw .tooLarge }
        let node: JSONNode
        do throws(JSONError) { node = try JSONNode.parse(bytes) } catch { throw .notJSON }
        return try read(node)
    }

    private func read(_ node: JSONNode) throws(CredentialDocumentFault) -> CredentialDocument {
        guard case .object = node.value else { throw .notAnObject }
        guard let key = key.resolve(in: node), Self.isUsable(key) else { throw .keyInvalid }
        var isRefreshable = false
        if let token = Self.stated(refreshToken, in: node) {
            guard Self.isUsable(token) else { throw .refreshTokenInvalid }
            isRefreshable = true
        }
        return CredentialDocument(
            node: node, lifetime: try Self.stated(lifetime, in: node).map(Self.duration), isRefreshable: isRefreshable)
    }

    /// What an optional member holds; nil where it is missing or null.
    private static func stated(_ pointer: JSONPointer, in node: JSONNode) -> JSONNode? {
        guard let found = pointer.resolve(in: node) else { return nil }
        if case .null = found.value { return nil }
        return found
    }

    /// A string of visible ASCII that is not empty: what any field and any log can hold.
    private static func isUsable(_ node: JSONNode) -> Bool {
        guard case .string(let text) = node.value, (1...keyBytes).contains(text.utf8.count) else { return false }
        return text.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F }
    }

    /// More than 0 seconds, a number or a text of digits, with a fraction or without.
    private static func duration(_ node: JSONNode) throws(CredentialDocumentFault) -> Nanoseconds {
        let seconds: Double
        switch node.value {
        case .number(let number): seconds = number.double
        case .string(let text) where isDecimal(text): seconds = Double(text) ?? .nan
        case .null, .bool, .string, .array, .object: throw .lifetimeInvalid
        }
        guard seconds > 0 else { throw .lifetimeInvalid }
        if seconds >= Double(lifetimeLimit) { return .seconds(lifetimeLimit) }
        return Nanoseconds(seconds * 1e9)
    }

    /// Digits, or digits on both sides of one point: neither sign nor exponent nor spaces.
    private static func isDecimal(_ text: String) -> Bool {
        let parts = text.utf8.split(separator: 0x2E, omittingEmptySubsequences: false)
        return parts.count <= 2 && parts.allSatisfy { !$0.isEmpty && $0.allSatisfy(\.isDigit) }
    }

    /// A date claim in whole seconds; the verifier has found it a number.
    private static func seconds(_ claim: String, of token: VerifiedToken) -> Int64? {
        guard let node = token.claims[claim], case .number(let number) = node.value else { return nil }
        if let seconds = number.integer { return seconds }
        // Below what an integer can hold; the comparisons are false for what is not a number.
        let seconds = number.double
        return seconds > 0 && seconds < 9e18 ? Int64(seconds) : nil
    }
}
