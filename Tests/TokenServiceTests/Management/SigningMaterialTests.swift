import Core
import Crypto
import Store
import Testing

@testable import TokenService

struct SigningMaterialTests {
    private func key(_ algorithm: SignatureAlgorithm) -> StoredSigningKey {
        StoredSigningKey(
            id: "jky_1", keySet: "own", realm: nil, algorithm: algorithm, material: SigningMaterial.make(for: algorithm) ?? [],
            createdAt: WallTime(seconds: 0))
    }

    @Test(arguments: [(SignatureAlgorithm.hs256, 47), (.hs384, 68), (.hs512, 90)])
    func `a shared secret is shown as the text that signs`(algorithm: SignatureAlgorithm, length: Int) {
        let key = key(algorithm)
        guard case .secret(let text) = SigningMaterial.shown(key) else {
            Issue.record("no secret")
            return
        }
        #expect(text.hasPrefix("jsk_") && text.utf8.count == length && Array(text.utf8) == key.material)
    }

    @Test(arguments: ["my own secret of at least thirty-two chars", "schlüssel-schlüssel-schlüssel", "line\nbreak and \u{0} and \u{7F} in a secret"])
    func `a secret of any text is shown as it was given`(text: String) {
        var key = key(.hs256)
        key.material = Array(text.utf8)
        guard case .secret(let shown) = SigningMaterial.shown(key) else {
            Issue.record("no secret")
            return
        }
        #expect(Array(shown.utf8) == key.material)
    }

    @Test func `a secret that is no text is shown in base64url`() {
        var key = key(.hs256)
        key.material = [UInt8](repeating: 0xFF, count: 32)
        guard case .secret(let shown) = SigningMaterial.shown(key) else {
            Issue.record("no secret")
            return
        }
        #expect(shown == Base64URL.encode(key.material.span))
    }

    @Test func `of an RSA key the public half verifies what the private one signs`() throws {
        let key = key(.rs256)
        guard case .pair(let publicKey?, let privateKey?) = SigningMaterial.shown(key) else {
            Issue.record("no pair")
            return
        }
        #expect(privateKey.hasPrefix("-----BEGIN PRIVATE KEY-----\n") && !publicKey.contains("PRIVATE"))
        let message = Array("message".utf8)
        let signature = try #require(try SigningKey(.rs256, material: key.material).signature(of: message.span))
        let verification = try OpenSSLCryptography().verificationKeys(fromPEM: publicKey.utf8.span)[0]
        let isValid = verification.verifies(signature.span, of: message.span, using: .rs256)
        #expect(isValid)
        #expect(verification.bits == 2048)
    }

    @Test func `what cannot be read is not shown`() {
        var broken = key(.rs256)
        broken.material = [1, 2, 3]
        guard case .pair(nil, nil) = SigningMaterial.shown(broken) else {
            Issue.record("something is shown")
            return
        }
    }
}
