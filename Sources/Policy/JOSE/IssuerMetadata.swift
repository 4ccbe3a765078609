import Core

/// Where an issuer says its keys are: its metadata of OpenID Connect Discovery 1.0.
package enum IssuerMetadata {
    /// A larger document is refused.
    package static let byteLimit = 65_536

    /// Where the metadata of an issuer lie (§4): below the issuer, whose final slash is left out.
    package static func url(of issuer: String) -> String {
        (issuer.hasSuffix("/") ? String(issuer.dropLast()) : issuer) + "/.well-known/openid-configuration"
    }

    /// The URL of the key set. The document's `issuer` must be exactly the one that was asked for (§4.3), and an issuer over
    /// https does not send anybody to keys in clear.
    package static func keySetURL(
        in document: Span<UInt8>, of issuer: String
    ) throws(IssuerMetadataError) -> String {
        guard document.count <= byteLimit else { throw .tooLarge }
        let node: JSONNode
        let text = document.extracting(document.byteOrderMarkCount..<document.count)
        do throws(JSONError) { node = try JSONNode.parse(text, dialect: .foreign) } catch { throw .malformed(error.message) }
        guard case .object = node.value else { throw .malformed("it is no object") }
        guard case .string(let named) = node["issuer"]?.value else { throw .memberMissing("issuer") }
        guard named.isExactly(issuer) else { throw .otherIssuer(named) }
        guard case .string(let url) = node["jwks_uri"]?.value else { throw .memberMissing("jwks_uri") }
        let mustBeSecure = issuer.lowercasedASCII.hasPrefix("https://")
        guard ConfigurationReader.isFetchURL(url), !mustBeSecure || url.lowercasedASCII.hasPrefix("https://") else {
            throw .keySetURLInvalid(url)
        }
        return url
    }
}

/// Why an issuer's metadata do not lead to its keys.
package enum IssuerMetadataError: Error, Equatable, Sendable {
    case tooLarge
    case malformed(String)
    case memberMissing(String)
    /// The document is about somebody else.
    case otherIssuer(String)
    case keySetURLInvalid(String)

    /// One line, for an operator. Texts of the issuer stand in it quoted and escaped.
    package var message: String {
        switch self {
        case .tooLarge: "the issuer's metadata are larger than \(IssuerMetadata.byteLimit) bytes"
        case .malformed(let reason): "the issuer's metadata are no JSON object: \(reason)"
        case .memberMissing(let name): "the issuer's metadata have no \"\(name)\""
        case .otherIssuer(let name): "the metadata are those of the issuer \(quoted(name))"
        case .keySetURLInvalid(let url): "the issuer's \"jwks_uri\" \(quoted(url)) is no URL to fetch keys from"
        }
    }
}
