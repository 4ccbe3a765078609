import Core
import Crypto
import Store

/// Writes tokens in the JWS compact serialization (RFC 7515 §7.1).
enum CompactTokenWriter {
    /// - Parameters:
    ///   - claims: the payload, a JSON object.
    ///   - namesKey: the header has a `kid`.
    /// - Returns: nil when no signature comes about.
    static func token(claims: JSONNode, signedBy entry: SigningKeyring.Entry, namesKey: Bool) -> String? {
        let header = header(of: entry, namesKey: namesKey)
        var payload: [UInt8] = []
        payload.append(json: claims)
        var text: [UInt8] = []
        text.append(base64URL: header.span)
        text.append(0x2E)
        text.append(base64URL: payload.span)
        guard let signature = entry.signer.signature(of: text.span) else { return nil }
        text.append(0x2E)
        text.append(base64URL: signature.span)
        return String(decoding: text, as: UTF8.self)
    }

    /// The order of the members means nothing (RFC 8259 §4), and is that of the tokens which the systems print: `alg` first, but
    /// where no key is named `typ` first, as PHP's library writes it.
    private static func header(of entry: SigningKeyring.Entry, namesKey: Bool) -> [UInt8] {
        var header: [UInt8] = []
        header.append(namesKey ? "{\"alg\":" : "{\"typ\":\"JWT\",\"alg\":")
        header.append(jsonString: entry.key.algorithm.rawValue)
        if namesKey {
            header.append(",\"typ\":\"JWT\",\"kid\":")
            header.append(jsonString: entry.key.id)
        }
        header.append("}")
        return header
    }
}
