import COpenSSL

/// The function that makes passwords dear to guess (RFC 7914).
package enum Scrypt {
    /// How much work and memory a guess costs.
    package struct Cost: Sendable, Equatable {
        /// What the operator may ask for, and what a stored hash may claim.
        package static let logarithmRange = 1...20
        package static let blockSizeRange = 1...32
        package static let parallelismRange = 1...16
        /// The most that one derivation takes.
        package static let memoryByteLimit = 256 << 20

        /// The binary logarithm of N, the number of steps.
        package let logarithm: Int
        /// r, in units of 128 bytes.
        package let blockSize: Int
        /// p.
        package let parallelism: Int

        /// N = 2^15, r = 8, p = 1: 32 MiB, and about a tenth of a second of one core.
        package static let standard = Cost(unchecked: 15, 8, 1)

        /// Nil outside of the ranges above, and above the limit of memory.
        package init?(logarithm: Int, blockSize: Int, parallelism: Int) {
            guard Self.logarithmRange.contains(logarithm), Self.blockSizeRange.contains(blockSize),
                Self.parallelismRange.contains(parallelism)
            else { return nil }
            self.init(unchecked: logarithm, blockSize, parallelism)
            guard memoryBytes <= Self.memoryByteLimit else { return nil }
        }

        private init(unchecked logarithm: Int, _ blockSize: Int, _ parallelism: Int) {
            self.logarithm = logarithm
            self.blockSize = blockSize
            self.parallelism = parallelism
        }

        /// What the function needs besides a few kilobytes.
        var memoryBytes: Int { 128 &* blockSize &* (1 << logarithm &+ parallelism &+ 2) }
    }

    /// The function as it is handed around.
    package typealias Derivation = @Sendable (_ password: [UInt8], _ salt: [UInt8], _ cost: Cost, _ count: Int) -> [UInt8]?

    /// `count` bytes that take the cost to compute; nil when the memory for it cannot be had.
    @Sendable package static func derive(_ password: [UInt8], salt: [UInt8], cost: Cost, count: Int) -> [UInt8]? {
        var output = [UInt8](repeating: 0, count: count)
        ERR_clear_error()
        // OpenSSL reads password and salt up to their counts, and takes a null password for something else.
        let answer = unsafe (password + [0]).withUnsafeBufferPointer { bytes in
            unsafe bytes.withMemoryRebound(to: CChar.self) { bytes in
                unsafe EVP_PBE_scrypt(
                    bytes.baseAddress, password.count, salt, salt.count, 1 << UInt64(cost.logarithm),
                    UInt64(cost.blockSize), UInt64(cost.parallelism), UInt64(cost.memoryBytes) &+ 1 << 20, &output, count)
            }
        }
        ERR_clear_error()
        return answer == 1 ? output : nil
    }
}
