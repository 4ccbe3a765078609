package import Core

/// The realms that a request's content names: a member of a JSON object or of an object directly in it, or a parameter of a form.
///
/// What an upstream would make of doubtful content cannot be known, so content that is malformed, a name that is there twice
/// or in another spelling that some parser takes for it (`ParameterName`), at any depth, and a value that is not text are refused.
package enum RealmContent {
    /// Deeper JSON is refused.
    private static let depthLimit = 64
    /// Pairs of a form; frameworks cut off or refuse what is behind as many.
    private static let pairLimit = 1000
    /// JavaScript finds members of it in the object it is a member of.
    static let prototype = ParameterName("__proto__")
    /// Names the encoding of a form for some parsers (HTML §4.10.21.4).
    private static let charset = ParameterName("_charset_")

    /// What the content has under the name of `parameter`.
    /// - Parameter mediaType: in lower case, without parameters, of content in UTF-8; only JSON and forms are read.
    package static func realms(
        named parameter: ParameterName, in content: [UInt8], mediaType: String?
    ) throws(Denial) -> NamedRealms {
        var realms = NamedRealms()
        switch MediaType(mediaType) {
        case .json:
            if content.isEmpty { break }
            let node: JSONNode
            do throws(JSONError) { node = try JSONNode.parse(content.span, depthLimit: depthLimit) } catch {
                throw .contentMalformed
            }
            guard case .object = node.value else { throw .contentMalformed }
            try read(node, parameter, depth: 0, &realms)
        case .form: try read(form: content, parameter, &realms)
        case nil: throw .contentTypeNotSupported
        }
        return realms
    }

    /// Content in which a realm is looked for.
    enum MediaType: String, CaseIterable {
        case json = "application/json"
        case form = "application/x-www-form-urlencoded"

        init?(_ mediaType: String?) {
            guard let mediaType, let known = MediaType(rawValue: mediaType) else { return nil }
            self = known
        }
    }

    /// The media types that are read.
    static let types = MediaType.allCases.map(\.rawValue)

    /// - Parameter depth: of the members of `node`; elements of a list are never of depth 0 or 1.
    private static func read(
        _ node: JSONNode, _ name: ParameterName, depth: Int, _ realms: inout NamedRealms
    ) throws(Denial) {
        switch node.value {
        case .object(let members):
            for member in members {
                let spelled = Array(member.name.utf8)
                if spelled == name.bytes {
                    guard case .string(let text) = member.node.value else { throw depth > 1 ? .realmAmbiguous : .realmMissing }
                    depth > 1 ? realms.mention(text) : realms.name(text)
                } else if name.isReadable(within: spelled.span) || depth == 0 && prototype.isReadable(in: spelled.span) {
                    throw .realmAmbiguous
                } else {
                    try read(member.node, name, depth: depth + 1, &realms)
                }
            }
        case .array(let elements):
            for element in elements { try read(element, name, depth: max(depth, 2), &realms) }
        case .null, .bool, .number, .string: break
        }
    }

    private static func read(form content: [UInt8], _ name: ParameterName, _ realms: inout NamedRealms) throws(Denial) {
        var seen: Set<String> = []
        for pair in try pairs(ofForm: content) {
            if QueryParameters.isReadable(prototype, in: pair.range, of: content.span) { throw .realmAmbiguous }
            if let place = name.place(in: pair.name.utf8.span) {
                try add(pair.name, pair.value, place, &seen, &realms)
            } else if QueryParameters.isReadable(name, in: pair.range, of: content.span, nested: true) {
                throw .realmAmbiguous
            }
        }
    }

    /// The pairs of a form that names no other encoding than UTF-8 for itself.
    static func pairs(ofForm content: [UInt8]) throws(Denial) -> [FormPairs.Pair] {
        let pairs: [FormPairs.Pair]
        do throws(FormPairs.Malformed) { pairs = try FormPairs.parse(content.span, countLimit: pairLimit) } catch {
            throw .contentMalformed
        }
        for pair in pairs where charset.isReadable(in: pair.name.utf8.span) && !pair.value.utf8.span.equalsIgnoringCase("utf-8") {
            throw .contentTypeNotSupported
        }
        return pairs
    }

    /// The same of a query, whose escapes are read as leniently as anywhere.
    static func realms(named name: ParameterName, inQuery query: Span<UInt8>) throws(Denial) -> NamedRealms {
        var realms = NamedRealms()
        var seen: Set<String> = []
        var start = 0
        while start < query.count {
            let end = query.firstIndex(of: 0x26, from: start) ?? query.count
            let pair = start..<end
            start = end &+ 1
            if QueryParameters.isReadable(prototype, in: pair, of: query) { throw .realmAmbiguous }
            guard QueryParameters.isReadable(name, in: pair, of: query, nested: true) else { continue }
            let equals = query.extracting(pair).firstIndex(of: 0x3D).map { pair.lowerBound &+ $0 } ?? end
            var decoded: [UInt8] = []
            QueryParameters.decode(query.extracting(pair.lowerBound..<equals), into: &decoded)
            guard let place = name.place(in: decoded.span), let spelled = String(validating: decoded, as: UTF8.self) else {
                throw .realmAmbiguous
            }
            decoded.removeAll(keepingCapacity: true)
            QueryParameters.decode(query.extracting(min(equals &+ 1, end)..<end), into: &decoded)
            try add(spelled, String(decoding: decoded, as: UTF8.self), place, &seen, &realms)
        }
        return realms
    }

    /// Elements of a list share a name; anything else that is there twice is read differently by different parsers.
    private static func add(
        _ name: String, _ value: String, _ place: ParameterName.Place, _ seen: inout Set<String>, _ realms: inout NamedRealms
    ) throws(Denial) {
        let isRepeated = !seen.insert(name).inserted
        switch place {
        case .top, .resource:
            if isRepeated { throw .realmConflict }
            realms.name(value)
        case .deeper(let isElement):
            if isRepeated, !isElement { throw .realmConflict }
            realms.mention(value)
        }
    }
}
