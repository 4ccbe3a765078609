import Core

/// Authenticators that know callers by their certificates.
extension ConfigurationReader {
    private typealias Part = CertificateAuthenticatorConfiguration.Part

    /// Entries of one authenticator, and values of one part of an entry.
    private static let entryLimit = 10_000
    private static let valueLimit = 1000

    mutating func certificateAuthenticator(_ node: LocatedNode) -> CertificateAuthenticatorConfiguration? {
        guard let members = object(node, .certificateAuthenticator) else { return nil }
        var configuration = CertificateAuthenticatorConfiguration()
        configuration.subjectFrom =
            choice(members["subject_from"], of: CertificateAuthenticatorConfiguration.Part.self) ?? .subject
        configuration.scopes = scopeNames(members["scopes"])
        guard let list = members["certificates"] else { return configuration }
        if let place = members["scopes"] {
            report(.membersExclusive, at: place, "\"scopes\" stands beside \"certificates\"; put it into its elements")
        }
        let elements = filledList(list, of: "certificates") ?? []
        if elements.count > Self.entryLimit {
            report(.valueOutOfRange, at: list, "an authenticator knows at most \(Self.entryLimit) certificates")
        }
        configuration.entries = elements.prefix(Self.entryLimit).compactMap { certificateEntry($0) }
        return configuration
    }

    private mutating func certificateEntry(
        _ node: LocatedNode
    ) -> CertificateAuthenticatorConfiguration.Entry? {
        guard let members = object(node, .certificateEntry) else { return nil }
        let match = certificateMatch(members["match"])
        var entry = CertificateAuthenticatorConfiguration.Entry(match: match ?? [:], position: node.position)
        if let subject = string(members["subject"]) {
            let hasControls = subject.value.unicodeScalars.contains { $0.properties.generalCategory == .control }
            if hasControls || subject.value.utf8.count > APIKeyBounds.subjectBytes {
                report(
                    .nameInvalid, at: subject.position, path: subject.path,
                    "a subject has at most \(APIKeyBounds.subjectBytes) bytes and no control characters")
            }
            entry.subject = subject.value
        }
        entry.scopes = scopeNames(members["scopes"])
        if members["allow_ips"] != nil { entry.allowedAddresses = filledBlocks(members["allow_ips"]) }
        if let limits = members["limits"], filledList(limits, of: "limits") != nil {
            entry.limits = limitReferences(limits)
        }
        entry.isEnabled = boolean(members["enabled"]) ?? true
        return match.map { _ in entry }
    }

    private mutating func certificateMatch(
        _ node: LocatedNode?
    ) -> [CertificateAuthenticatorConfiguration.Part: [String]]? {
        guard let node, let members = object(node, .certificateMatch) else { return nil }
        if members.members.isEmpty {
            report(.valueEmpty, at: node, "an empty match fits every certificate; leave \"certificates\" out for that")
            return nil
        }
        var match: [Part: [String]] = [:]
        for part in Part.allCases {
            guard let place = members[part.rawValue] else { continue }
            let values = stringOrStrings(place, of: "values")
            if values.count > Self.valueLimit {
                report(.valueOutOfRange, at: place, "at most \(Self.valueLimit) values are looked for")
            }
            match[part] = part == .fingerprint ? values.compactMap { fingerprint($0) } : values.map(\.value)
        }
        return match
    }

    /// 64 hexadecimal digits, in pairs with colons between them or not, as tools print them.
    private mutating func fingerprint(_ text: Located<String>) -> String? {
        let digits = text.value.utf8.split(separator: 0x3A, omittingEmptySubsequences: false)
        let isGrouped = digits.count == 1 || digits.allSatisfy { $0.count == 2 }
        if isGrouped, let digest = Digest256(hex: String(decoding: digits.joined(), as: UTF8.self)) { return digest.hex }
        report(
            .valueUnknown, at: text.position, path: text.path,
            "\(quoted(text.value)) is no SHA-256 fingerprint; \"openssl x509 -noout -fingerprint -sha256\" prints it")
        return nil
    }

    private mutating func scopeNames(_ node: LocatedNode?) -> [String] {
        let names = strings(node, of: "scopes")
        if names.count > APIKeyBounds.scopes, let node {
            report(.valueOutOfRange, at: node, "more than \(APIKeyBounds.scopes) scopes")
        }
        for name in names where !ScopeSet.isValidName(name.value.utf8.span) {
            report(.valueUnknown, at: name.position, path: name.path, "\(quoted(name.value)) is no scope")
        }
        return names.map(\.value)
    }
}
