import Core
import Crypto
import Testing

struct PEMTests {
    private let cryptography = OpenSSLCryptography()

    private func key(_ text: String) throws(KeyMaterialError) -> any VerificationKey {
        let keys = try cryptography.verificationKeys(fromPEM: text.utf8.span)
        #expect(keys.count == 1)
        return keys[0]
    }

    @Test func `every key of a text is read, whatever its form`() throws {
        let text = [SampleKeys.rsa, SampleKeys.rsaCertificate, SampleKeys.p256, "remarks", SampleKeys.ed25519].joined(separator: "\n")
        let keys = try cryptography.verificationKeys(fromPEM: text.utf8.span)
        #expect(keys.map(\.bits) == [2048, 2048, 256, 256])
        let cut = text.dropLast(30)
        #expect(throws: KeyMaterialError.self) { try cryptography.verificationKeys(fromPEM: String(cut).utf8.span) }
        #expect(throws: KeyMaterialError.outOfBounds(bits: 1024)) {
            try cryptography.verificationKeys(fromPEM: (text + "\n" + SampleKeys.rsa1024).utf8.span)
        }
    }

    @Test(arguments: [SampleKeys.rsa, SampleKeys.rsaPKCS1, SampleKeys.rsaCertificate])
    func `an RSA key is read in each of its three forms`(text: String) throws {
        let key = try key(text)
        #expect(key.bits == 2048)
        #expect(key.algorithms == [.rs256, .rs384, .rs512, .ps256, .ps384, .ps512])
        #expect(key.accepts(try hex(SampleKeys.rs256Signature), of: bytes(SampleKeys.message), .rs256))
        #expect(!key.accepts(try hex(SampleKeys.rs256Signature), of: bytes("another"), .rs256))
    }

    @Test(arguments: [SampleKeys.p256, SampleKeys.p256Compressed])
    func `a P-256 key is read with its point in either form`(text: String) throws {
        let key = try key(text)
        #expect(key.bits == 256)
        #expect(key.algorithms == [.es256])
        #expect(key.accepts(try hex(SampleKeys.es256Signature), of: bytes(SampleKeys.message), .es256))
    }

    @Test func `an Ed25519 key is read`() throws {
        let key = try key(SampleKeys.ed25519)
        #expect(key.algorithms == [.eddsa])
        #expect(key.accepts(try hex(SampleKeys.ed25519Signature), of: bytes(SampleKeys.message), .eddsa))
    }

    @Test func `text around the key does no harm`() throws {
        #expect(try key("made by hand\n\n" + SampleKeys.p256 + "\n\nend\n").bits == 256)
    }

    @Test(arguments: ["PRIVATE KEY", "RSA PRIVATE KEY", "EC PRIVATE KEY", "ENCRYPTED PRIVATE KEY"])
    func `a private key is refused, beside a public one too`(label: String) {
        let text = "-----BEGIN \(label)-----\nAAAA\n-----END \(label)-----\n"
        #expect(throws: KeyMaterialError.unsupported) { try key(text) }
        #expect(throws: KeyMaterialError.unsupported) { try key(SampleKeys.rsa + "\n" + text) }
    }

    @Test(arguments: [
        "", "-----BEGIN PUBLIC KEY-----", "-----BEGIN PUBLIC KEY-----\n-----END PUBLIC KEY-----",
        "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----",
        "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----", "<html></html>", "{\"keys\":[]}",
        "-----BEGIN PUBLIC KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00\n\nAAAA\n"
            + "-----END PUBLIC KEY-----",
    ])
    func `what is no key is malformed`(text: String) {
        #expect(throws: KeyMaterialError.malformed) { try key(text) }
    }

    @Test func `a key of another curve is unsupported and a short one out of bounds`() {
        #expect(throws: KeyMaterialError.unsupported) { try key(SampleKeys.secp256k1) }
        #expect(throws: KeyMaterialError.outOfBounds(bits: 1024)) { try key(SampleKeys.rsa1024) }
    }

    @Test func `a text cut short anywhere gives no key`() {
        let text = Array(SampleKeys.p256.utf8)
        for count in 0..<text.count - 1 {
            let part = String(decoding: text[..<count], as: UTF8.self)
            #expect(throws: KeyMaterialError.self) { try key(part) }
        }
    }
}
