import Core

/// Stored credentials, and values that are secrets.
extension PolicyCompiler {
    mutating func compile(storedCredential configuration: StoredCredentialConfiguration, named name: String) {
        var refresh: CredentialRefresh?
        if let wanted = configuration.refresh {
            refresh = compile(wanted)
            if refresh == nil { return }
        }
        do throws(MalformedPointer) {
            storedCredentials[name] = try StoredCredentialRule(name: name, configuration, refresh: refresh)
        } catch {
            fail(
                .pointerInvalid, configuration.position, "stored_credentials.\(name)",
                "not a JSON Pointer: \(quoted(error.text))")
        }
    }

    /// Nil after an error was noted.
    private mutating func compile(_ configuration: CredentialRefreshConfiguration) -> CredentialRefresh? {
        guard let nowhere = try? PathPattern("/") else { return nil }
        let errorCount = diagnostics.count
        var headers: [(name: String, value: ValueTemplate)] = []
        for header in configuration.headers {
            if let value = value(of: header, nowhere) { headers.append((header.name, value)) }
        }
        let content = configuration.content.flatMap { compile($0, nowhere) }
        return diagnostics.count == errorCount
            ? CredentialRefresh(configuration, headers: headers, content: content) : nil
    }

    private mutating func compile(
        _ content: CredentialRefreshConfiguration.Content, _ nowhere: PathPattern
    ) -> RefreshContent? {
        switch content {
        case .literal(let node): return .literal(node)
        case .template(let text):
            // A placeholder alone stands for the value itself, whatever its type.
            if let parts = try? TemplateSyntax.parse(text.value), parts.count == 1,
                case .storedCredential(let pointer) = parts[0]
            {
                return JSONPointer(pointer).map { .value($0) }
            }
            return template(text, nowhere).map { .text($0) }
        case .secret(let reference):
            return secret(reference).map { .secret(String(decoding: $0, as: UTF8.self)) }
        case .list(let elements): return .list(elements.compactMap { compile($0, nowhere) })
        case .object(let members):
            return .object(
                members.compactMap { member in compile(member.content, nowhere).map { (member.name, $0) } })
        }
    }

    /// The rule a route names; nil for none and after an error was noted.
    mutating func storedCredential(of route: RouteConfiguration) -> StoredCredentialRule? {
        guard let name = route.storedCredential else { return nil }
        if let rule = storedCredentials[name.value] { return rule }
        if configuration.storedCredentials[name.value] == nil {
            fail(.referenceUnknown, name.position, name.path, "no stored credential named \(quoted(name.value))")
        }
        return nil
    }

    mutating func parameter(_ parameter: HeaderTemplate, _ pattern: PathPattern) -> (name: [UInt8], value: ValueTemplate)? {
        value(of: parameter, pattern).map { (Array(parameter.name.utf8), $0) }
    }

    /// What the route changes in content; nil where it changes nothing, and after an error was noted.
    mutating func contentRules(of route: RouteConfiguration, _ pattern: PathPattern) -> ContentRules? {
        var changes: [ContentRules.Change] = []
        for member in route.setContentMembers {
            guard let names = names(member.name), let value = contentValue(member, pattern) else { return nil }
            changes.append(ContentRules.Change(names: names, value: value))
        }
        for pointer in route.removedContentMembers {
            guard let names = names(pointer) else { return nil }
            changes.append(ContentRules.Change(names: names, value: nil))
        }
        return changes.isEmpty ? nil : ContentRules(changes)
    }

    private func names(_ pointer: String) -> [ParameterName]? {
        JSONPointer(pointer).map { $0.names.map { ParameterName($0) } }
    }

    private mutating func contentValue(_ member: HeaderTemplate, _ pattern: PathPattern) -> ContentRules.Value? {
        // A placeholder alone stands for the value itself, whatever its type.
        if member.secret == nil, let parts = try? TemplateSyntax.parse(member.template.value), parts.count == 1,
            case .storedCredential(let pointer) = parts[0]
        {
            return JSONPointer(pointer).map { .stored($0) }
        }
        return value(of: member, pattern).map { .text($0) }
    }

    /// A template, or a secret as it is. Nil after an error was noted.
    mutating func value(of header: HeaderTemplate, _ pattern: PathPattern) -> ValueTemplate? {
        guard let secret = header.secret else { return template(header.template, pattern) }
        guard let bytes = self.secret(secret) else { return nil }
        guard bytes.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else {
            fail(
                .fieldValueInvalid, secret.position, secret.path,
                "the secret has other characters than visible ASCII, and cannot stand in a request")
            return nil
        }
        return ValueTemplate(verbatim: bytes)
    }

    /// Nil after an error was noted.
    private mutating func secret(_ reference: Located<SecretReference>) -> [UInt8]? {
        do throws(CompileFault) { return try environment.secret(reference.value) } catch {
            fail(error, reference.position, reference.path)
            return nil
        }
    }
}
