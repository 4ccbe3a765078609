import Core

/// The JOSE header of a token (RFC 7515 §4) as far as it counts here. Keys and addresses of keys in it (`jwk`, `jku`,
/// `x5c`, `x5u`) are never looked at.
struct TokenHeader {
    static let kidBytes = 256

    let algorithm: SignatureAlgorithm
    let kid: String?
    /// `typ` as it is written; `mediaType` makes it comparable.
    let type: String?

    /// Reads the first part of a compact token.
    init(base64URL text: Span<UInt8>) throws(TokenFault) {
        guard let bytes = Base64URL.decode(text) else { throw .malformed }
        let node: JSONNode
        do throws(JSONError) {
            node = try JSONNode.parse(bytes.span)
        } catch {
            throw .malformed
        }
        try self.init(node)
    }

    init(_ node: JSONNode) throws(TokenFault) {
        guard case .object = node.value else { throw .malformed }
        // `crit` may name nothing the gateway understands; unencoded payloads have no place in a JWT (RFC 7797 §7),
        // and compressed or nested ones are not opened.
        if node["crit"] != nil || node["b64"] != nil || node["zip"] != nil { throw .malformed }
        guard case .string(let name) = node["alg"]?.value else { throw .malformed }
        if let content = try node.text("cty"), TokenHeader.mediaType(content) == "jwt" { throw .malformed }
        kid = try node.text("kid")
        if let kid, kid.utf8.count > Self.kidBytes || kid.hasControls { throw .malformed }
        type = try node.text("typ")
        guard let algorithm = SignatureAlgorithm(rawValue: name) else { throw .algorithmNotAllowed }
        self.algorithm = algorithm
    }

    /// A media type as `typ` and `cty` are compared: in lower case without "application/" (RFC 7515 §4.1.9).
    static func mediaType(_ text: String) -> String {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(text.utf8.count)
        for byte in text.utf8 { bytes.append(byte.lowercasedASCII) }
        let span = bytes.span
        let prefix = "application/"
        let isPrefixed = span.hasPrefix(prefix.utf8.span)
        return String(decoding: isPrefixed ? bytes[prefix.utf8.count...] : bytes[...], as: UTF8.self)
    }
}

extension JSONNode {
    /// A member that has to be a string where it is there.
    func text(_ name: String) throws(TokenFault) -> String? {
        guard let node = self[name] else { return nil }
        guard case .string(let text) = node.value else { throw .malformed }
        return text
    }

    /// The strings of an array of nothing but strings.
    func texts() throws(TokenFault) -> [String] {
        guard case .array(let elements) = value else { throw .malformed }
        var texts: [String] = []
        texts.reserveCapacity(elements.count)
        for element in elements {
            guard case .string(let text) = element.value else { throw .malformed }
            texts.append(text)
        }
        return texts
    }
}
