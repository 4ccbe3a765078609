import Core
import Crypto
import Store

/// Public keys as a JWKS document (RFC 7517 §5).
enum JWKSText {
    /// - Parameter withX5C: each key has its SubjectPublicKeyInfo in `x5c`.
    static func document(of entries: [SigningKeyring.Entry], withX5C: Bool = false) -> [UInt8] {
        var text: [UInt8] = []
        text.append("{\"keys\":[")
        var isFirst = true
        for entry in entries {
            guard case .rsa(let modulus, let exponent) = entry.signer.verificationMaterial else { continue }
            text.append(isFirst ? "{\"kty\":\"RSA\",\"use\":\"sig\",\"alg\":" : ",{\"kty\":\"RSA\",\"use\":\"sig\",\"alg\":")
            isFirst = false
            text.append(jsonString: entry.key.algorithm.rawValue)
            text.append(",\"kid\":")
            text.append(jsonString: entry.key.id)
            text.append(",\"n\":\"")
            text.append(base64URL: modulus.span)
            text.append("\",\"e\":\"")
            text.append(base64URL: exponent.span)
            text.append("\"")
            if withX5C {
                text.append(",\"x5c\":[\"")
                text.append(contentsOf: PEMText.base64(PEMText.subjectPublicKey(modulus: modulus, exponent: exponent)))
                text.append("\"]")
            }
            text.append("}")
        }
        text.append("]}")
        return text
    }
}
