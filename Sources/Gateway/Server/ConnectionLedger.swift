import Core
import Synchronization

/// How many connections the process has of one kind, in all and from each address; the bound on both. Shared by all loops.
final class ConnectionLedger: Sendable {
    private struct Counts {
        var total = 0
        var byAddress: [IPAddress: Int] = [:]
    }

    private let counts = Mutex(Counts())
    /// Bounds of its own; nil for those of the policy.
    private let fixed: (total: Int, perAddress: Int)?
    /// No more than descriptors allow, whatever the policy says.
    private let most: Int

    init(total: Int, perAddress: Int) {
        fixed = (total, perAddress)
        most = .max
    }

    /// Bounded by the policy in force, and by `most`.
    init(most: Int) {
        fixed = nil
        self.most = most
    }

    /// Enters a connection; the bound that is reached, and nothing entered, where one is.
    func enter(_ address: IPAddress, bounds: Bounds) -> ConnectionRejection? {
        let account = address.accountable
        let limits = fixed ?? (bounds.connectionLimit, bounds.connectionLimitPerAddress)
        return counts.withLock { counts in
            let own = counts.byAddress[account] ?? 0
            guard counts.total < min(limits.total, most) else { return .connectionLimit }
            guard own < limits.perAddress else { return .addressLimit }
            counts.total += 1
            counts.byAddress[account] = own + 1
            return nil
        }
    }

    func leave(_ address: IPAddress) {
        let account = address.accountable
        counts.withLock { counts in
            counts.total -= 1
            guard let own = counts.byAddress[account] else { return }
            counts.byAddress[account] = own == 1 ? nil : own - 1
        }
    }

    var total: Int { counts.withLock { $0.total } }
}
