import Core
import Crypto

extension MaterialMaker {
    /// As the gateway makes them.
    package static let standard = MaterialMaker(
        passwordHash: { PasswordHash(of: Array($0.utf8), cost: .standard)?.encoded },
        isPassword: { PasswordHash.verify(Array($0.utf8), encoded: $1, cost: .standard) },
        privateKey: { try? SigningKey.newMaterial(for: .rs256) },
        givenPrivateKey: { try? SigningKey.material(fromPEM: $0.utf8.span) })
}
