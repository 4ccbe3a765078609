import Core
import Testing

@testable import Crypto

struct PasswordHashTests {
    private let cheap = Scrypt.Cost(logarithm: 4, blockSize: 8, parallelism: 1)

    @Test func `a hash that another program made is read`() {
        let encoded = "$scrypt$ln=16,r=8,p=1$aM15713r3Xsvxbi31lqr1Q$nFNh2CVHVjNldFVKDHDlm4CbdRSCdEBsjjJxD+iCs5E"
        #expect(PasswordHash(encoded: encoded)?.encoded == encoded)
        #expect(PasswordHash.verify(bytes("password"), encoded: encoded, cost: .standard))
        #expect(!PasswordHash.verify(bytes("Password"), encoded: encoded, cost: .standard))
    }

    @Test(arguments: ["", "p", "correct horse battery staple", "Zoë", String(repeating: "x", count: 1024)])
    func `a password is known again, and no other`(_ password: String) throws {
        let cheap = try #require(cheap)
        let encoded = try #require(PasswordHash(of: bytes(password), cost: cheap)).encoded
        #expect(encoded.hasPrefix("$scrypt$ln=4,r=8,p=1$"))
        #expect(PasswordHash.verify(bytes(password), encoded: encoded, cost: cheap))
        for other in [password + "x", String(password.dropLast()), password + "\u{0}"] where other != password {
            #expect(!PasswordHash.verify(bytes(other), encoded: encoded, cost: cheap))
        }
    }

    @Test func `two hashes of one password differ`() throws {
        let cheap = try #require(cheap)
        #expect(PasswordHash(of: bytes("p"), cost: cheap)?.encoded != PasswordHash(of: bytes("p"), cost: cheap)?.encoded)
    }

    @Test func `nobody signs in without a hash`() throws {
        let cheap = try #require(cheap)
        #expect(!PasswordHash.verify([], encoded: nil, cost: cheap))
        #expect(!PasswordHash.verify([], encoded: "", cost: cheap))
    }

    @Test func `a password above 1024 bytes is not hashed`() throws {
        let cheap = try #require(cheap)
        let long = [UInt8](repeating: 0x78, count: 1025)
        #expect(PasswordHash(of: long, cost: cheap) == nil)
        let encoded = try #require(PasswordHash(of: Array(long.dropLast()), cost: cheap)).encoded
        #expect(!PasswordHash.verify(long, encoded: encoded, cost: cheap))
    }

    @Test func `a password with a zero byte is not hashed`() throws {
        let cheap = try #require(cheap)
        #expect(PasswordHash(of: [0x70, 0], cost: cheap) == nil)
    }

    @Test(arguments: [
        "", "password", "$scrypt$", "$argon2id$ln=4,r=8,p=1$c2FsdHNhbHQ$aGFzaGhhc2hoYXNoaGFzaA",
        "$scrypt$ln=4,r=8$c2FsdHNhbHQ$aGFzaGhhc2hoYXNoaGFzaA", "$scrypt$ln=04,r=8,p=1$c2FsdHNhbHQ$aGFzaGhhc2hoYXNoaGFzaA",
        "$scrypt$ln=21,r=8,p=1$c2FsdHNhbHQ$aGFzaGhhc2hoYXNoaGFzaA", "$scrypt$ln=20,r=32,p=1$c2FsdHNhbHQ$aGFzaGhhc2hoYXNoaGFzaA",
        "$scrypt$ln=999999999999999999999,r=8,p=1$c2FsdHNhbHQ$aGFzaGhhc2hoYXNoaGFzaA",
        "$scrypt$ln=4,r=-8,p=1$c2FsdHNhbHQ$aGFzaGhhc2hoYXNoaGFzaA", "$scrypt$ln=4,r=8,p=1$c2Fsd_Nhb-Q$aGFzaGhhc2hoYXNoaGFzaA",
        "$scrypt$ln=4,r=8,p=1$c2FsdHNhbHQ$", "$scrypt$ln=4,r=8,p=1$c2FsdHNhbHQ$aGFzaA",
        "$scrypt$ln=4,r=8,p=1$c2FsdHNhbHQ$aGFzaGhhc2hoYXNoaGFzaA$", "$scrypt$ln=4,r=8,p=1$c2FsdHNhbHQ$aGFzaGhhc2hoYXNoaGFzaA==",
        "$scrypt$ln=4,r=8,p=1$c2FsdHNhbHQ$" + String(repeating: "A", count: 400),
    ])
    func `what is no encoded hash is not read`(_ text: String) {
        #expect(PasswordHash(encoded: text) == nil)
    }
}
