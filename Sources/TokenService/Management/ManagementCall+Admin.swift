package import Core
package import Policy

extension ManagementCall {
    /// The call that a request to the admin listener makes: `/v1/RESOURCE`, `/v1/RESOURCE/ID`, `/v1/RESOURCE/ID/OPERATION`.
    ///
    /// What a route says in its configuration follows from the policy here: the authenticator or key set is the one that is
    /// kept in the store; where there are several, the parameter `authenticator` or `key_set` names it.
    /// - Parameter path: without `/v1/`.
    package static func admin(
        _ method: Method, path: String, query: [UInt8], contentType: String?, content: [UInt8], caller: ManagementCaller,
        policy: Configuration, now: WallTime
    ) throws(ActionRefusal) -> ManagementCall {
        let parts = path.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        guard 1...3 ~= parts.count, !parts.contains(""),
            let resource = ManagementConfiguration.Resource(rawValue: parts[0])
        else { throw ActionRefusal(.resourceNotFound) }
        var configuration = ManagementConfiguration(resource: resource)
        configuration.grantsAnything = true
        configuration.mayImport = true
        var query = query
        switch resource {
        case .apiKeys:
            let names = policy.storedAuthenticators
            configuration.authenticator = try choose("authenticator", among: names, from: &query)
        case .jwtKeys:
            let names = policy.keySets.filter { $0.value.source.isStored }.map(\.key)
            configuration.keySet = try choose("key_set", among: names, from: &query)
        case .users, .organizations, .projects, .memberships: break
        }
        return ManagementCall(
            configuration: configuration, caller: caller, method: method, item: parts.count > 1 ? parts[1] : nil,
            operation: parts.count > 2 ? parts[2] : nil, query: query, contentType: contentType, content: content, now: now)
    }

    /// Takes the parameter out of the query; the only name there is, without it.
    private static func choose(
        _ parameter: String, among names: [String], from query: inout [UInt8]
    ) throws(ActionRefusal) -> Located<String> {
        let prefix = Array("\(parameter)=".utf8)
        let pairs = query.split(separator: 0x26, omittingEmptySubsequences: false)
        let named = pairs.filter { $0.starts(with: prefix) }
        query = Array(pairs.filter { !$0.starts(with: prefix) }.joined(separator: [0x26]))
        let name = named.first.map { String(decoding: $0.dropFirst(prefix.count), as: UTF8.self) } ?? names.first ?? ""
        guard named.count < 2, named.count == 1 || names.count == 1, names.contains(name) else {
            let label = ParameterReader.label(parameter)
            throw ActionRefusal(.parametersInvalid, messages: ["\(label) has to be one of: \(names.sorted().joined(separator: ", "))"])
        }
        return Located(name, at: SourcePosition(line: 0, column: 0), path: "")
    }
}

extension Configuration {
    /// The names of the authenticators that take stored API keys, sorted.
    package var storedAuthenticators: [String] {
        authenticators.filter {
            if case .apiKey(let keys) = $0.value.kind { keys.isStored } else { false }
        }.map(\.key).sorted()
    }
}
