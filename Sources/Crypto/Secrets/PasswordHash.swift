import Core

/// A password as it is kept: `$scrypt$ln=15,r=8,p=1$SALT$HASH`, the last two in base64 without padding. The form is that of
/// the PHC string format, which other programs write too.
package struct PasswordHash: Sendable, Equatable {
    static let saltBytes = 16
    static let hashBytes = 32
    /// Longer salts and hashes are not read.
    private static let partByteLimit = 64
    /// Longer passwords are not hashed.
    package static let passwordByteLimit = 1024

    /// HMAC, which scrypt is built on, fills a key up with zeros: with zeros at its end a password would have equals.
    private static func isHashable(_ password: [UInt8]) -> Bool {
        password.count <= passwordByteLimit && !password.contains(0)
    }

    package let cost: Scrypt.Cost
    private let salt: [UInt8]
    private let hash: [UInt8]

    /// Hashes a new password with a salt of its own. Nil above 1024 bytes, with a zero byte in it, and
    /// when the memory cannot be had.
    package init?(of password: [UInt8], cost: Scrypt.Cost) {
        self.init(of: password, cost: cost, salt: SecureRandom.bytes(Self.saltBytes))
    }

    private init?(of password: [UInt8], cost: Scrypt.Cost, salt: [UInt8]) {
        guard Self.isHashable(password),
            let hash = Scrypt.derive(password, salt: salt, cost: cost, count: Self.hashBytes)
        else { return nil }
        self.cost = cost
        self.salt = salt
        self.hash = hash
    }

    /// The hash of no password anybody has, to compare with where there is none.
    private init(matchingNothing cost: Scrypt.Cost) {
        self.cost = cost
        salt = SecureRandom.bytes(Self.saltBytes)
        hash = SecureRandom.bytes(Self.hashBytes)
    }

    /// Reads the encoded form, with a cost within the bounds of `Scrypt.Cost`.
    package init?(encoded text: String) {
        let parts = text.split(separator: "$", omittingEmptySubsequences: false)
        guard parts.count == 5, parts[0].isEmpty, parts[1] == "scrypt", let cost = Self.cost(parts[2]),
            let salt = Self.decode(parts[3]), let hash = Self.decode(parts[4]), hash.count >= 16
        else { return nil }
        self.cost = cost
        self.salt = salt
        self.hash = hash
    }

    /// The text to keep.
    package var encoded: String {
        "$scrypt$ln=\(cost.logarithm),r=\(cost.blockSize),p=\(cost.parallelism)$\(Self.encode(salt))$\(Self.encode(hash))"
    }

    /// True for the password that it was made of. As much work for any other.
    func matches(_ password: [UInt8], by derive: Scrypt.Derivation = Scrypt.derive) -> Bool {
        let isHashable = Self.isHashable(password)
        guard let derived = derive(isHashable ? password : [], salt, cost, hash.count), isHashable else { return false }
        var difference: UInt8 = 0
        for (one, other) in zip(derived, hash) { difference |= one ^ other }
        return difference == 0
    }

    /// Whether `password` is the one that `encoded` was made of. Without a hash, or with one that cannot be read, the
    /// answer is false after the work that `cost` stands for, so that time does not tell who exists.
    /// - Parameter derive: is asked once, whatever is wrong.
    package static func verify(
        _ password: [UInt8], encoded: String?, cost: Scrypt.Cost, by derive: Scrypt.Derivation = Scrypt.derive
    ) -> Bool {
        guard let kept = encoded.flatMap(PasswordHash.init(encoded:)) else {
            _ = PasswordHash(matchingNothing: cost).matches(password, by: derive)
            return false
        }
        return kept.matches(password, by: derive)
    }

    private static func cost(_ text: Substring) -> Scrypt.Cost? {
        let parts = text.split(separator: ",", omittingEmptySubsequences: false)
        guard parts.count == 3, let logarithm = number(parts[0], "ln="), let blockSize = number(parts[1], "r="),
            let parallelism = number(parts[2], "p=")
        else { return nil }
        return Scrypt.Cost(logarithm: logarithm, blockSize: blockSize, parallelism: parallelism)
    }

    private static func number(_ text: Substring, _ name: String) -> Int? {
        guard text.hasPrefix(name) else { return nil }
        let digits = text.dropFirst(name.count)
        guard (1...2).contains(digits.utf8.count), digits.utf8.allSatisfy(\.isDigit), digits.first != "0" else { return nil }
        return Int(digits)
    }

    /// Base64 differs from base64url in two characters.
    private static func decode(_ text: Substring) -> [UInt8]? {
        guard text.utf8.count <= partByteLimit * 4 / 3 else { return nil }
        var bytes: [UInt8] = []
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "+"): bytes.append(UInt8(ascii: "-"))
            case UInt8(ascii: "/"): bytes.append(UInt8(ascii: "_"))
            case UInt8(ascii: "-"), UInt8(ascii: "_"): return nil
            default: bytes.append(byte)
            }
        }
        return Base64URL.decode(bytes.span)
    }

    private static func encode(_ bytes: [UInt8]) -> String {
        String(Base64URL.encode(bytes.span).map { $0 == "-" ? "+" : $0 == "_" ? "/" : $0 })
    }
}
