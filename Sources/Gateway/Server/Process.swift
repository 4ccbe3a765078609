import CLinux
import Core

private import Glibc

/// What the gateway asks of the operating system once.
enum Process {
    /// Processors this process may run on, at least 1.
    static var processorCount: Int { max(1, Int(sysconf(Int32(_SC_NPROCESSORS_ONLN)))) }

    /// The first descriptor that a traffic connection may not have, so that the operator's listeners still accept when clients hold
    /// all others.
    static var trafficDescriptorLimit: Int32 {
        var limit = rlimit()
        guard unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return .max }
        let count = Int64(clamping: limit.rlim_cur)
        // A limit that is small anyway is not halved by the reserve.
        return Int32(clamping: count - min(Int64(FixedBounds.reservedDescriptors), count / 8))
    }

    /// As many descriptors as the administrator allows: each client and each upstream connection takes one.
    static func raiseDescriptorLimit() {
        var limit = rlimit()
        guard unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return }
        limit.rlim_cur = limit.rlim_max
        _ = unsafe setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    }
}
