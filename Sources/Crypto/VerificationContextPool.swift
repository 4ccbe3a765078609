import Core
import Synchronization

/// Contexts of one key and algorithm for as many threads as verify at once: making one costs more than it takes to
/// check that a lock is free.
final class VerificationContextPool: Sendable {
    /// Contexts kept; more threads than that make their own and drop it.
    private static let keptContexts = 64

    private let key: PublicKey
    private let algorithm: SignatureAlgorithm
    private let idle = Mutex<[VerificationContext]>([])

    init(_ key: PublicKey, _ algorithm: SignatureAlgorithm) {
        self.key = key
        self.algorithm = algorithm
    }

    func verifies(_ signature: Span<UInt8>, digest: Span<UInt8>) -> Bool {
        guard let context = idle.withLock({ $0.popLast() }) ?? VerificationContext(key, algorithm) else { return false }
        let isGood = context.verifies(signature, digest: digest)
        idle.withLock { idle in
            if idle.count < Self.keptContexts { idle.append(context) }
        }
        return isGood
    }
}
