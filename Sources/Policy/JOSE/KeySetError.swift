package import Core

/// Why a document is not taken as a key set.
package enum KeySetError: Error, Equatable, Sendable {
    case tooLarge(byteLimit: Int)
    /// Not JSON at all, as an HTML error page.
    case notJSON(JSONError)
    /// JSON, but no object with an array `keys` of objects (RFC 7517 §5).
    case notAKeySet
    case tooManyKeysOfOneKid(String)
    /// More keys of a PEM text fit one algorithm than a token is tried with.
    case tooManyKeysWithoutKid
    /// The shared secret at this index is shorter than the hash it is used with (RFC 7518 §3.2), or than any may be.
    case secretTooShort(index: Int, bits: Int, needed: Int, SourcePosition)
    case noUsableKey([KeySet.SkippedKey])
    case badPEM(KeyMaterialError)
    /// The algorithm the configuration names does not fit the key in the PEM file.
    case algorithmUnfit(SignatureAlgorithm)

    /// One line for an operator.
    package var message: String {
        switch self {
        case .tooLarge(let byteLimit): "larger than \(byteLimit) bytes"
        case .notJSON(let error):
            "not JSON: \(error.message) at \(error.position.line):\(error.position.column)"
        case .notAKeySet: "not a key set: an object with an array \"keys\" of objects is expected"
        case .tooManyKeysOfOneKid(let kid): "too many keys with the kid \"\(kid)\""
        case .tooManyKeysWithoutKid: "more than \(KeySet.keysTried) keys for one algorithm"
        case .secretTooShort(let index, let bits, let needed, _):
            "keys[\(index)]: the secret has \(bits) bits, fewer than the \(needed) it needs"
                + (needed > KeySet.leastSecretBits && bits >= KeySet.leastSecretBits
                    ? " (RFC 7518 section 3.2); \"allow_short_secrets\" takes it all the same" : "")
        case .noUsableKey(let skipped):
            skipped.isEmpty
                ? "holds no key"
                : "holds no usable key: "
                    + skipped.map { "keys[\($0.index)] \($0.reason.rawValue)" }.joined(separator: ", ")
        case .badPEM(.malformed): "not a PEM public key or certificate"
        case .badPEM(.unsupported): "not a supported public key; private keys do not belong here"
        case .badPEM(.outOfBounds(let bits)): "a key of \(bits) bits is out of bounds"
        case .algorithmUnfit(let algorithm): "\(algorithm.rawValue) does not fit the key"
        }
    }
}
