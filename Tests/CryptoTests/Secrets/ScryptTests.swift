import Core
import Testing

@testable import Crypto

struct ScryptTests {
    /// RFC 7914 §12, without the last, which takes a gigabyte.
    @Test(arguments: [
        (
            "", "", 4, 1, 1,
            "77d6576238657b203b19ca42c18a0497f16b4844e3074ae8dfdffa3fede21442"
                + "fcd0069ded0948f8326a753a0fc81f17e8d3e0fb2e0d3628cf35e20c38d18906"
        ),
        (
            "password", "NaCl", 10, 8, 16,
            "fdbabe1c9d3472007856e7190d01e9fe7c6ad7cbc8237830e77376634b373162"
                + "2eaf30d92e22a3886ff109279d9830dac727afb94a83ee6d8360cbdfa2cc0640"
        ),
        (
            "pleaseletmein", "SodiumChloride", 14, 8, 1,
            "7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2"
                + "d5432955613f0fcf62d49705242a9af9e61e85dc0d651e40dfcf017b45575887"
        ),
    ])
    func `scrypt of RFC 7914`(
        password: String, salt: String, logarithm: Int, blockSize: Int, parallelism: Int, output: String
    ) throws {
        let cost = try #require(Scrypt.Cost(logarithm: logarithm, blockSize: blockSize, parallelism: parallelism))
        let derived = Scrypt.derive(bytes(password), salt: bytes(salt), cost: cost, count: 64)
        #expect(try derived == hex(output))
    }

    @Test(arguments: [
        (0, 8, 1), (21, 1, 1), (15, 0, 1), (15, 33, 1), (15, 8, 0), (15, 8, 17), (20, 8, 1), (18, 8, 1), (-1, -1, -1),
        (.max, .max, .max),
    ])
    func `a cost beyond its bounds is none`(logarithm: Int, blockSize: Int, parallelism: Int) {
        #expect(Scrypt.Cost(logarithm: logarithm, blockSize: blockSize, parallelism: parallelism) == nil)
    }

    @Test func `the standard cost is within the bounds`() {
        let cost = Scrypt.Cost.standard
        #expect(Scrypt.Cost(logarithm: cost.logarithm, blockSize: cost.blockSize, parallelism: cost.parallelism) == cost)
    }
}
