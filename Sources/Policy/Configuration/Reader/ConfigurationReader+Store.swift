import Core

/// The store, and what asks for one.
extension ConfigurationReader {
    mutating func readStore(_ node: LocatedNode?) {
        guard let node, let members = object(node, .store) else { return }
        let key = locatedSecret(members["encryption_key"])
        guard let path = filePath(members["sqlite"]) else { return }
        configuration.store = StoreConfiguration(sqlite: path, encryptionKey: key, position: node.position)
    }

    /// `"stored": true`, or nothing.
    mutating func stored(_ node: LocatedNode?) -> Bool {
        guard let node, let value = boolean(node) else { return false }
        guard value else {
            report(.valueUnknown, at: node, "expected true; leave the member out where nothing is stored")
            return false
        }
        storedPlaces.append(node)
        return true
    }

    /// Once everything has been read: what is kept in a store needs one.
    mutating func checkStore(_ document: ObjectMembers) {
        guard document["store"] == nil else { return }
        for place in storedPlaces {
            report(.referenceUnknown, at: place, "what is stored needs a \"store\"; the file has none")
        }
    }

    /// What tokens live and die with.
    mutating func derivation(_ node: LocatedNode?) -> TokenDerivationConfiguration? {
        guard let node, let members = object(node, .derivedFrom) else { return nil }
        let claim = pointer(members["claim"])
        switch (members["authenticator"], members["users"]) {
        case (.some(let place), nil):
            guard let name = reference(place, to: .authenticator), let claim, let node = members["claim"] else { return nil }
            return TokenDerivationConfiguration(
                source: .keys(name), claim: Located(claim, at: node.position, path: node.path))
        case (nil, .some(let place)):
            guard stored(place), let claim, let node = members["claim"] else { return nil }
            return TokenDerivationConfiguration(
                source: .users, claim: Located(claim, at: node.position, path: node.path))
        case (.some, .some(let place)):
            report(.membersExclusive, at: place, "a token is derived from a key of an \"authenticator\" or from \"users\"")
        case (nil, nil):
            report(.memberMissing, at: node, "a token is derived from a key of an \"authenticator\" or from \"users\"")
        }
        return nil
    }

    mutating func keyFormat(_ node: LocatedNode?) -> KeyFormat? {
        guard let node, let text = string(node, expected: "a format such as \"ks_{base62:32}\"") else { return nil }
        do throws(KeyFormat.Fault) { return try KeyFormat(text.value) } catch {
            report(.valueUnknown, at: node, "\(quoted(text.value)) \(error.message)")
            return nil
        }
    }

    /// The algorithms of a stored key set's new keys.
    mutating func signingAlgorithms(_ node: LocatedNode?) -> [SignatureAlgorithm] {
        var algorithms: [SignatureAlgorithm] = []
        for element in filledList(node, of: "algorithms") ?? [] {
            guard let algorithm = choice(element, of: SignatureAlgorithm.self) else { continue }
            if !KeySetConfiguration.signingAlgorithms.contains(algorithm) {
                let known = KeySetConfiguration.signingAlgorithms.map { quoted($0.rawValue) }.joined(separator: ", ")
                report(.valueUnknown, at: element, "the gateway signs with \(known)")
            } else if algorithms.contains(algorithm) {
                report(.valueDuplicate, at: element, "\(quoted(algorithm.rawValue)) stands in the list twice")
            } else {
                algorithms.append(algorithm)
            }
        }
        return algorithms
    }
}
