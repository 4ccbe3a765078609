import Core

/// The realm that a request's content names: a member of a JSON object, or a parameter of a form.
///
/// What an upstream would make of doubtful content cannot be known, so a name that is there twice, a value that is no text and
/// content that is malformed are refused.
enum RealmContent {
    /// Deeper JSON is refused.
    private static let depthLimit = 64

    /// The value of `parameter`; nil where the content does not have it.
    /// - Parameter mediaType: in lower case, without parameters; only JSON and forms are read.
    static func value(of parameter: String, in content: [UInt8], mediaType: String?) throws(Denial) -> String? {
        switch mediaType {
        case "application/json": try member(parameter, of: content)
        case "application/x-www-form-urlencoded": try field(Array(parameter.utf8), of: content)
        case .some, nil: throw .contentTypeNotSupported
        }
    }

    private static func member(_ name: String, of content: [UInt8]) throws(Denial) -> String? {
        if content.isEmpty { return nil }
        let node: JSONNode
        do throws(JSONError) { node = try JSONNode.parse(content.span, depthLimit: depthLimit) } catch {
            throw .contentMalformed
        }
        guard case .object(let members) = node.value else { throw .contentMalformed }
        guard let member = members.first(where: { $0.name == name }) else { return nil }
        guard case .string(let text) = member.node.value else { throw .realmMissing }
        return text
    }

    private static func field(_ name: [UInt8], of content: [UInt8]) throws(Denial) -> String? {
        var found: String?
        for pair in content.split(separator: 0x26) {
            let equals = pair.firstIndex(of: 0x3D) ?? pair.endIndex
            let spelled = try decoded(pair[..<equals])
            guard spelled.starts(with: name) else { continue }
            if spelled.count > name.count {
                // `name[]` and `name[x]` are lists and objects to many frameworks.
                if spelled[name.count] == 0x5B { throw .realmMissing }
                continue
            }
            if found != nil { throw .realmConflict }
            found = String(decoding: try decoded(pair[equals...].dropFirst()), as: UTF8.self)
        }
        return found
    }

    private static func decoded(_ text: ArraySlice<UInt8>) throws(Denial) -> [UInt8] {
        var bytes: [UInt8] = []
        var index = text.startIndex
        while index < text.endIndex {
            switch text[index] {
            case 0x2B: bytes.append(0x20)
            case 0x25:
                guard text.endIndex &- index > 2, let high = text[index &+ 1].hexDigit, let low = text[index &+ 2].hexDigit
                else { throw .contentMalformed }
                bytes.append(high << 4 | low)
                index &+= 2
            case let byte: bytes.append(byte)
            }
            index &+= 1
        }
        return bytes
    }
}
