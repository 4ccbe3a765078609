import Core

/// The realm that a request's content names: a member of a JSON object, or a parameter of a form.
///
/// What an upstream would make of doubtful content cannot be known, so content that is malformed, a name that is there twice
/// or in another spelling that some parser takes for it (`ParameterName`), and a value that is not text are refused.
enum RealmContent {
    /// Deeper JSON is refused.
    private static let depthLimit = 64
    /// Pairs of a form; frameworks cut off or refuse what is behind as many.
    private static let pairLimit = 1000
    /// JavaScript finds members of it in the object it is a member of.
    static let prototype = ParameterName("__proto__")
    /// Names the encoding of a form for some parsers (HTML §4.10.21.4).
    private static let charset = ParameterName("_charset_")

    /// The value of `parameter`; nil where the content does not have it.
    /// - Parameter mediaType: in lower case, without parameters, of content in UTF-8; only JSON and forms are read.
    static func value(of parameter: ParameterName, in content: [UInt8], mediaType: String?) throws(Denial) -> String? {
        switch MediaType(mediaType) {
        case .json: try member(parameter, of: content)
        case .form: try field(parameter, of: content)
        case nil: throw .contentTypeNotSupported
        }
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

    private static func member(_ name: ParameterName, of content: [UInt8]) throws(Denial) -> String? {
        if content.isEmpty { return nil }
        let node: JSONNode
        do throws(JSONError) { node = try JSONNode.parse(content.span, depthLimit: depthLimit) } catch {
            throw .contentMalformed
        }
        guard case .object(let members) = node.value else { throw .contentMalformed }
        var found: String?
        for member in members {
            let spelled = Array(member.name.utf8)
            if spelled == name.bytes {
                guard case .string(let text) = member.node.value else { throw .realmMissing }
                found = text
            } else if name.isReadable(in: spelled.span) || prototype.isReadable(in: spelled.span) {
                throw .realmAmbiguous
            }
        }
        return found
    }

    private static func field(_ name: ParameterName, of content: [UInt8]) throws(Denial) -> String? {
        let pairs: [FormPairs.Pair]
        do throws(FormPairs.Malformed) { pairs = try FormPairs.parse(content.span, countLimit: pairLimit) } catch {
            throw .contentMalformed
        }
        var found: String?
        for pair in pairs {
            if Array(pair.name.utf8) == name.bytes {
                if found != nil { throw .realmConflict }
                found = pair.value
            } else if [name, prototype].contains(where: { QueryParameters.isReadable($0, in: pair.range, of: content.span) }) {
                throw .realmAmbiguous
            } else if charset.isReadable(in: pair.name.utf8.span), !pair.value.utf8.span.equalsIgnoringCase("utf-8") {
                throw .contentTypeNotSupported
            }
        }
        return found
    }
}
