import Core

/// Authenticators, the key sets and keys files they name, and lists of limits.
extension PolicyCompiler {
    mutating func compileAuthenticators() {
        // Those of keys first: tokens may be derived from keys.
        let sorted = configuration.authenticators.sorted { $0.key < $1.key }
        for (name, authenticator) in sorted where authenticator.kind.isAPIKey {
            compile(authenticator: authenticator, named: name)
        }
        for (name, authenticator) in sorted where !authenticator.kind.isAPIKey {
            compile(authenticator: authenticator, named: name)
        }
        // Those kept in the store have their places whoever verifies with them: actions sign with them.
        for (name, keySet) in configuration.keySets.sorted(by: { $0.key < $1.key }) where keySet.source.isStored {
            _ = self.keySet(Located(name, at: keySet.position, path: "key_sets.\(name)"))
        }
    }

    private mutating func compile(authenticator: AuthenticatorConfiguration, named name: String) {
        let path = "authenticators.\(name)"
        switch authenticator.kind {
        case .apiKey(let keys): compile(keys, named: name, path, authenticator.position)
        case .jwt(let tokens):
            guard let cell = keySet(tokens.keySet) else { return }
            var derivation: TokenDerivation?
            if let derived = tokens.derivedFrom {
                derivation = self.derivation(derived)
                if derivation == nil { return }
            }
            do throws(MalformedPointer) {
                verifiers[name] = try JWTVerifier(
                    name: name, configuration: tokens, keySet: cell, cryptography: environment.cryptography,
                    derivation: derivation)
            } catch {
                fail(.pointerInvalid, authenticator.position, path, "not a JSON Pointer: \(quoted(error.text))")
            }
        case .certificate(let certificates): compile(certificates, named: name)
        }
    }

    /// Nil after an error was noted.
    private mutating func derivation(_ configuration: TokenDerivationConfiguration) -> TokenDerivation? {
        guard let claim = JSONPointer(configuration.claim.value) else {
            let place = configuration.claim
            fail(.pointerInvalid, place.position, place.path, "not a JSON Pointer: \(quoted(place.value))")
            return nil
        }
        switch configuration.source {
        case .users: return TokenDerivation(source: .users, claim: claim)
        case .keys(let name):
            if let keys = keyAuthenticators[name.value] { return TokenDerivation(source: .keys(keys), claim: claim) }
            // One that is there and did not compile has been reported.
            guard self.configuration.authenticators[name.value]?.kind.isAPIKey != true else { return nil }
            fail(
                .referenceUnknown, name.position, name.path, "no authenticator of API keys is named \(quoted(name.value))")
            return nil
        }
    }

    private mutating func keySet(_ name: Located<String>) -> KeySetCell? {
        if let cell = keySets[name.value] { return cell }
        guard let keySet = configuration.keySets[name.value] else {
            fail(.referenceUnknown, name.position, name.path, "no key set named \(quoted(name.value))")
            return nil
        }
        do throws(CompileFault) {
            let cell = try environment.keySetCell(named: name.value, configuration: keySet)
            keySets[name.value] = cell
            return cell
        } catch {
            fail(error, keySet.position, "key_sets.\(name.value)")
            return nil
        }
    }

    private mutating func compile(
        _ keys: APIKeyAuthenticatorConfiguration, named name: String, _ path: String, _ position: SourcePosition
    ) {
        var builder = APIKeyTable.Builder()
        for (index, record) in keys.keys.enumerated() {
            do throws(APIKeyTableError) { try builder.add(record) } catch {
                fail(.keyDuplicate, record.position, "\(path).keys[\(index)]", error.message)
            }
        }
        var pepper: [UInt8]?
        if let reference = keys.pepper {
            do throws(CompileFault) { pepper = try environment.secret(reference) } catch {
                fail(error, position, "\(path).pepper")
                return
            }
        }
        if let file = keys.keysFile, !load(file, hasPepper: pepper != nil, into: &builder) { return }
        let table: APIKeyTable
        do throws(APIKeyTableError) { table = try builder.build() } catch {
            fail(.keyDuplicate, position, path, error.message)
            return
        }
        var lists: [LimitList?] = []
        for names in table.limitLists {
            let located = names.names.map {
                Located($0, at: names.position, path: "\(path): key \(quoted(names.firstID))")
            }
            guard let list = limitList(located) else { return }
            lists.append(list)
        }
        var stored = KeyAuthenticator.Stored.none
        if keys.isStored {
            stored = .beside(storedKeys.count)
            storedKeys.append(
                StoredKeyRules(name: name, pepper: pepper, cryptography: environment.cryptography, limits: limits))
        }
        keyAuthenticators[name] = KeyAuthenticator(
            name: name, table: table, pepper: pepper, cryptography: environment.cryptography, limitLists: lists,
            stored: stored, takesRealmSuffix: keys.takesRealmSuffix)
    }

    private mutating func load(
        _ file: Located<String>, hasPepper: Bool, into builder: inout APIKeyTable.Builder
    ) -> Bool {
        var reader = KeysFile(digestMember: hasPepper ? .hmacSHA256 : .sha256)
        let before = builder.count
        do throws(CompileFault) {
            try environment.read(file: file.value) { chunk throws(CompileFault) in
                do throws(APIKeyRecordError) { try reader.feed(chunk, into: &builder) } catch {
                    throw Self.fault(error, in: file.value)
                }
            }
            do throws(APIKeyRecordError) { try reader.finish(into: &builder) } catch {
                throw Self.fault(error, in: file.value)
            }
            if builder.count == before {
                diagnostics.append(
                    Diagnostic(
                        .warning, .keysFileEmpty, file: environment.fileName, position: file.position, path: file.path,
                        message: "the keys file holds no key: every key that it held before is revoked"))
            }
            return true
        } catch {
            fail(error, file.position, file.path)
            return false
        }
    }

    private static func fault(_ error: APIKeyRecordError, in file: String) -> CompileFault {
        let message = error.path.isEmpty ? error.message : "\(error.path): \(error.message)"
        return CompileFault(error.code, message, file: file, position: error.position)
    }

    /// Nil after an error was noted.
    mutating func limitList(_ names: [Located<String>]) -> LimitList? {
        var list: [Limit] = []
        for name in names {
            guard let limit = limits[name.value] else {
                if configuration.limits[name.value] == nil {
                    fail(.referenceUnknown, name.position, name.path, "no limit named \(quoted(name.value))")
                }
                return nil
            }
            list.append(limit)
        }
        guard let result = LimitList(list) else {
            fail(
                .valueOutOfRange, names.first?.position, names.first?.path ?? "",
                "at most \(LimitList.capacity) limits apply to one request")
            return nil
        }
        return result
    }
}
