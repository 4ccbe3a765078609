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
        var header: [UInt8] = []
        header.append("{\"typ\":\"JWT\",\"alg\":")
        header.append(jsonString: entry.key.algorithm.rawValue)
        if namesKey {
            header.append(",\"kid\":")
            header.append(jsonString: entry.key.id)
        }
        header.append("}")
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
}
