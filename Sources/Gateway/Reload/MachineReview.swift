import Core
import Glibc
import IO
import Policy

/// What `check` finds that this machine, as this user, could not serve. Warnings, since the policy may be for another one.
enum MachineReview {
    static func warnings(about configuration: Configuration, file: String) -> [Diagnostic] {
        var warnings: [Diagnostic] = []
        if case .file(let log) = configuration.accessLog {
            let folder = log.contains("/") ? String(log[..<(log.lastIndex(of: "/") ?? log.startIndex)]) : "."
            if unsafe access(folder.isEmpty ? "/" : folder, F_OK) != 0 {
                warnings.append(
                    Diagnostic(
                        .warning, .logFolderMissing, file: file, position: configuration.positions["access_log"], path: "access_log",
                        message: "the folder \"\(OneLine.plain(folder))\" does not exist here: the gateway would not start; make it, "
                            + "or name another"))
            }
        }
        var places = configuration.listeners.enumerated().map { ($1.address, $1.position, "listeners[\($0)].address") }
        if let admin = configuration.admin { places.append((admin.address, admin.position, "admin.address")) }
        let first = firstOpenPort()
        for (address, position, path) in places where 1..<first ~= Int(address.port) {
            warnings.append(
                Diagnostic(
                    .warning, .portPrivileged, file: file, position: position, path: path,
                    message: "port \(address.port) is below \(first), and this user may not open it: give the program CAP_NET_BIND_SERVICE "
                        + "(AmbientCapabilities in a systemd unit), or choose a higher port"))
        }
        return warnings
    }

    /// The least port that this process may open.
    private static func firstOpenPort() -> Int {
        guard !mayOpenEveryPort() else { return 1 }
        let text = read("/proc/sys/net/ipv4/ip_unprivileged_port_start")
        return Int(text.prefix { $0.isNumber }) ?? 1024
    }

    /// CAP_NET_BIND_SERVICE, the tenth bit, is among the effective capabilities.
    private static func mayOpenEveryPort() -> Bool {
        for line in read("/proc/self/status").split(separator: "\n") where line.hasPrefix("CapEff:") {
            let digits = line.dropFirst(7).drop { !$0.isHexDigit }
            return (UInt64(digits, radix: 16) ?? 0) >> 10 & 1 != 0
        }
        return false
    }

    private static func read(_ path: String) -> String {
        do throws(LocalFileFault) {
            return String(decoding: try LocalFile(path: path).bytes(atMost: 65_536), as: UTF8.self)
        } catch {
            return ""
        }
    }
}
