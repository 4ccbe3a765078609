import Core

/// What a route sets and removes in the content of its requests: members of a JSON object, or parameters of a form.
///
/// Nothing of the client's may take the place of what the gateway sets. So whatever some parser takes for a name that is set
/// or removed (`ParameterName`) goes too, and content in which a parent is spelled in another way is refused.
struct ContentRules: Sendable {
    /// What is put at a place.
    enum Value: Sendable {
        case text(ValueTemplate)
        /// A value of the stored credential, of whatever type.
        case stored(JSONPointer)
    }

    /// A place in the content, and what becomes of it.
    struct Change: Sendable {
        /// The names from the top, at least one.
        let names: [ParameterName]
        /// Nil removes.
        let value: Value?
    }

    /// What a change comes to for one request; nil removes, as does a value of which a part is absent.
    private typealias Outcome = JSONNode?

    /// Nothing of a change is set in anything deeper than this.
    private static let depthLimit = 64
    private static let start = SourcePosition(line: 1, column: 1)

    private let changes: [Change]
    /// Every place is at the top, where a form has one too.
    let takesForms: Bool
    /// A part of a value is taken from the path.
    let usesPath: Bool
    /// A part of a value is a user's of the store.
    let usesUser: Bool

    init(_ changes: [Change]) {
        self.changes = changes
        takesForms = changes.allSatisfy { $0.names.count == 1 }
        func has(_ isTrue: (ValueTemplate) -> Bool) -> Bool {
            changes.contains { change in
                if case .text(let template)? = change.value { return isTrue(template) }
                return false
            }
        }
        usesPath = has(\.usesPath)
        usesUser = has(\.usesUser)
    }

    /// The content that goes on. Doing it again to the result, with the same or another credential, is as doing it once.
    /// - Parameters:
    ///   - content: whole; of JSON, empty content is an empty object.
    ///   - path: the normalized path.
    func changed(
        _ content: [UInt8], _ type: RealmContent.MediaType, _ source: TemplateSource, path: Span<UInt8>, requestID: Span<UInt8>
    ) throws(Denial) -> [UInt8] {
        var outcomes: [Outcome] = []
        for change in changes {
            outcomes.append(try outcome(of: change, source, path: path, requestID: requestID))
        }
        return switch type {
        case .json: try changed(json: content, outcomes)
        case .form: try changed(form: content, outcomes)
        }
    }

    private func outcome(
        of change: Change, _ source: TemplateSource, path: Span<UInt8>, requestID: Span<UInt8>
    ) throws(Denial) -> Outcome {
        switch change.value {
        case nil: return nil
        case .stored(let pointer): return source.stored.flatMap { pointer.resolve(in: $0.document.node) }
        case .text(let template):
            if template.needsIdentity, source.identity.isAnonymous { return nil }
            var text: [UInt8] = []
            guard template.render(source, path: path, requestID: requestID, form: .exact, to: &text) else { return nil }
            guard text.count <= ValueTemplate.byteLimit else { throw .identityTooLarge }
            return JSONNode(.string(String(decoding: text, as: UTF8.self)), at: Self.start)
        }
    }

    // MARK: JSON

    private func changed(json content: [UInt8], _ outcomes: [Outcome]) throws(Denial) -> [UInt8] {
        var node = JSONNode(.object([]), at: Self.start)
        if !content.isEmpty {
            do throws(JSONError) { node = try JSONNode.parse(content.span, depthLimit: Self.depthLimit) } catch {
                throw .contentMalformed
            }
        }
        guard case .object = node.value else { throw .contentMalformed }
        for (change, outcome) in zip(changes, outcomes) { try Self.put(outcome, at: change.names[...], in: &node) }
        var output: [UInt8] = []
        output.reserveCapacity(content.count)
        output.append(json: node)
        return output
    }

    private static func put(_ value: Outcome, at names: ArraySlice<ParameterName>, in node: inout JSONNode) throws(Denial) {
        guard let name = names.first else { return }
        if case .null = node.value, value != nil { node.value = .object([]) }
        guard case .object(var members) = node.value else {
            // There is no place for it, and no member of that name either.
            if value == nil { return }
            throw .contentMalformed
        }
        // JavaScript finds members of it where the object has none of its own, so it would keep what is removed.
        guard !members.contains(where: { RealmContent.prototype.isReadable(within: $0.name.utf8.span) }) else { throw .contentMalformed }
        let rest = names.dropFirst()
        if rest.isEmpty {
            members.removeAll { !isNamed($0, name) && name.isReadable(in: $0.name.utf8.span) }
        } else if members.contains(where: { !isNamed($0, name) && name.isReadable(in: $0.name.utf8.span) }) {
            throw .contentMalformed
        }
        if let place = members.firstIndex(where: { isNamed($0, name) }) {
            if !rest.isEmpty {
                try put(value, at: rest, in: &members[place].node)
            } else if let value {
                members[place].node = value
            } else {
                members.remove(at: place)
            }
        } else if value != nil {
            var member = JSONMember(
                name: String(decoding: name.bytes, as: UTF8.self), namePosition: start, node: JSONNode(.null, at: start))
            if rest.isEmpty, let value { member.node = value } else { try put(value, at: rest, in: &member.node) }
            members.append(member)
        }
        node.value = .object(members)
    }

    private static func isNamed(_ member: JSONMember, _ name: ParameterName) -> Bool {
        member.name.utf8.span.equals(name.bytes.span)
    }

    // MARK: Forms

    private func changed(form content: [UInt8], _ outcomes: [Outcome]) throws(Denial) -> [UInt8] {
        for pair in try RealmContent.pairs(ofForm: content)
        where QueryParameters.isReadable(RealmContent.prototype, in: pair.range, of: content.span, nested: true) {
            throw .contentMalformed
        }
        var output: [UInt8] = []
        output.reserveCapacity(content.count)
        _ = QueryParameters.append(content.span, without: changes.flatMap(\.names), to: &output)
        for (change, outcome) in zip(changes, outcomes) {
            guard let name = change.names.first, let value = outcome?.scalarText else { continue }
            if !output.isEmpty { output.append(0x26) }
            output.append(percentEncoding: name.bytes.span)
            output.append(0x3D)
            output.append(percentEncoding: value.span)
        }
        return output
    }
}
