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
            node = try JSONNode.parse(bytes.span, dialect: .foreign)
        } catch {
            throw .malformed
        }
        try self.init(node)
    }

    init(_ node: JSONNode) throws(TokenFault) {
        guard case .object = node.value else { throw .malformed }
        // `crit` may name nothing the gateway understands; unencoded payloads have no place in a JWT (RFC 7797 §7),
        // and compressed or nested ones are not opened.
        for name in ["crit", "b64", "zip"] where node[name] != nil { throw .memberMalformed("header \(name)") }
        guard let name = try node.parameter("alg") else { throw .memberMalformed("header alg") }
        if let content = try node.parameter("cty"), TokenHeader.mediaType(content) == "jwt" { throw .memberMalformed("header cty") }
        kid = try node.parameter("kid")
        if let kid, kid.utf8.count > Self.kidBytes || kid.isUnfit { throw .memberMalformed("header kid") }
        type = try node.parameter("typ")
        guard let algorithm = SignatureAlgorithm(name: name) else { throw .algorithmNotAllowed }
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
    /// A claim that has to be a string where it is there; null is absent.
    func text(_ name: String) throws(TokenFault) -> String? {
        guard let node = self[name], !node.isNull else { return nil }
        guard case .string(let text) = node.value else { throw .memberMalformed(name) }
        return text
    }

    /// The same for a parameter of the header.
    fileprivate func parameter(_ name: String) throws(TokenFault) -> String? {
        do throws(TokenFault) { return try text(name) } catch { throw .memberMalformed("header \(name)") }
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

    /// The same of a claim, which a fault names.
    func texts(ofClaim name: String) throws(TokenFault) -> [String] {
        do throws(TokenFault) { return try texts() } catch { throw .memberMalformed(name) }
    }

    /// A string, or an integer as its decimal digits; nil for null. Some issuers number their users and tokens.
    func name(ofClaim claim: String) throws(TokenFault) -> String? {
        switch value {
        case .null: return nil
        case .string(let text): return text
        case .number(let number):
            guard let digits = number.integerText else { throw .memberMalformed(claim) }
            return digits
        case .bool, .array, .object: throw .memberMalformed(claim)
        }
    }
}
