import Core
import Crypto
import Testing

/// The one key of a PEM text.
func onlyKey(_ text: String) throws -> any VerificationKey {
    let keys = try OpenSSLCryptography().verificationKeys(fromPEM: text.utf8.span)
    try #require(keys.count == 1)
    return keys[0]
}
