import COpenSSL

/// Randomness nobody can foresee, from OpenSSL's generator, which the kernel seeds.
package enum SecureRandom {
    /// `count` random bytes. A machine that has no randomness cannot run a gateway: the process ends.
    package static func bytes(_ count: Int) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        let answer = unsafe RAND_bytes(&bytes, Int32(clamping: count))
        precondition(answer == 1 && count <= Int(Int32.max), "no randomness")
        return bytes
    }

    package static func word() -> UInt64 {
        bytes(8).reduce(0) { $0 << 8 | UInt64($1) }
    }
}
