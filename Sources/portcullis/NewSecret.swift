import ArgumentParser
import Crypto

/// Makes the secrets of new API keys.
enum NewSecret {
    /// 22 characters of 62 are 131 bits.
    static let bodyLength = 22
    private static let alphabet = Array("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz".utf8)

    /// `prefix_` and a random body.
    static func make(prefix: String) throws -> String {
        let isValid = (1...16).contains(prefix.utf8.count) && prefix.utf8.allSatisfy { alphabet.contains($0) }
        guard isValid else { throw ValidationError("--prefix \(prefix): 1 to 16 letters and digits are expected") }
        return prefix + "_" + String(decoding: body(from: SecureRandom.bytes), as: UTF8.self)
    }

    /// Each character is equally likely: bytes of 248 and above, which would favour the first letters, are thrown away.
    private static func body(from random: (Int) -> [UInt8]) -> [UInt8] {
        var body: [UInt8] = []
        while body.count < bodyLength {
            for byte in random(32) where byte < 248 && body.count < bodyLength { body.append(alphabet[Int(byte % 62)]) }
        }
        return body
    }
}
