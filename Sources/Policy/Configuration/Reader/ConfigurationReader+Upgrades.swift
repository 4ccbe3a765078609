import Core

/// Connections that change their protocol.
extension ConfigurationReader {
    /// What a route's members say of upgrades; nil where no protocol is named.
    mutating func upgrade(_ members: ObjectMembers) -> UpgradeConfiguration? {
        guard let node = members["upgrade"] else {
            for name in ["upgrade_idle_timeout", "upgrade_lifetime", "close_when_credential_ends"] {
                guard let place = members[name] else { continue }
                report(
                    .membersExclusive, at: place,
                    "\(quoted(name)) belongs to a route with \"upgrade\"; no connection changes its protocol here")
            }
            return nil
        }
        var protocols: [String] = []
        for text in filledList(node, of: "protocols") == nil ? [] : strings(node, of: "protocols") {
            let name = text.value.lowercasedASCII
            guard isUpgrade(name, at: text) else { continue }
            if protocols.contains(name) {
                report(
                    .valueDuplicate, at: text.position, path: text.path,
                    "\(quoted(text.value)) stands in the list twice")
            } else {
                protocols.append(name)
            }
        }
        var upgrade = UpgradeConfiguration(protocols: protocols)
        upgrade.idleTimeout = duration(members["upgrade_idle_timeout"], in: Self.timeouts) ?? upgrade.idleTimeout
        upgrade.lifetime =
            duration(members["upgrade_lifetime"], in: .seconds(1)...(.seconds(3660 * 86_400))) ?? upgrade.lifetime
        upgrade.closesWithCredential = boolean(members["close_when_credential_ends"]) ?? true
        return protocols.isEmpty ? nil : upgrade
    }

    /// A protocol that may be tunnelled. Through a tunnel of HTTP requests would reach the upstream that no route has
    /// seen, and TLS is not for the upstream to begin.
    private mutating func isUpgrade(_ name: String, at text: Located<String>) -> Bool {
        let message: String
        let family = name.prefix { $0 != "/" }
        let isToken = name.utf8.split(separator: 0x2F, omittingEmptySubsequences: false).count <= 2
        if !isToken || !name.utf8.allSatisfy({ $0.isTokenCharacter || $0 == 0x2F }) || family.isEmpty || name.last == "/" {
            message = "\(quoted(text.value)) is no name of a protocol; write \"websocket\""
        } else if ["h2c", "h2", "http", "tls"].contains(family) {
            message = "\(quoted(text.value)) would carry requests past the policy; it is never let through"
        } else if name.utf8.count > 64 {
            message = "the name of a protocol has at most 64 characters"
        } else {
            return true
        }
        report(.valueUnknown, at: text.position, path: text.path, message)
        return false
    }
}
