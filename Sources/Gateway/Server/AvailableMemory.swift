import Core

private import Glibc

/// How much memory the process may use: the least of what the machine has, what its control groups allow, and the limit on its
/// address space.
enum AvailableMemory {
    /// In bytes; nil where the system says nothing.
    static var bytes: Int? {
        var found = files { path in
            guard let file = try? LocalFile(path: path), let bytes = try? file.bytes(atMost: 1_048_576) else { return nil }
            return String(decoding: bytes, as: UTF8.self)
        }
        var limit = rlimit()
        if unsafe getrlimit(__rlimit_resource_t(RLIMIT_AS.rawValue), &limit) == 0, limit.rlim_cur < UInt(Int.max) {
            found = min(found ?? .max, Int(limit.rlim_cur))
        }
        return found
    }

    /// What files of the kernel say; `read` gives the text of one, or nil where it is not there.
    static func files(_ read: (String) -> String?) -> Int? {
        var found: [Int] = []
        if let text = read("/proc/meminfo") {
            for line in text.split(separator: "\n") where line.hasPrefix("MemTotal:") {
                // In units of 1,024 bytes.
                if let number = line.split(separator: " ").dropFirst().first.flatMap({ Int($0) }) { found.append(number &* 1024) }
            }
        }
        for line in (read("/proc/self/cgroup") ?? "").split(separator: "\n") {
            // `hierarchy:controllers:path`; version 2 is hierarchy 0 without controllers.
            let parts = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
            guard parts.count == 3 else { continue }
            if parts[0] == "0", parts[1].isEmpty {
                found += limits(below: "/sys/fs/cgroup", path: parts[2], files: ["memory.max", "memory.high"], read)
            } else if parts[1].split(separator: ",").contains("memory") {
                found += limits(below: "/sys/fs/cgroup/memory", path: parts[2], files: ["memory.limit_in_bytes"], read)
            }
        }
        return found.filter { $0 > 0 }.min()
    }

    /// The limits of a control group and of those around it. In a container the path may be the host's, so that only the root
    /// of what is mounted is there.
    private static func limits(
        below root: String, path: Substring, files: [String], _ read: (String) -> String?
    ) -> [Int] {
        var parts = path.split(separator: "/")
        var found: [Int] = []
        while true {
            let folder = ([root] + parts.map(String.init)).joined(separator: "/")
            for file in files {
                // "max" stands for none.
                guard let text = read(folder + "/" + file)?.split(separator: "\n").first, let number = Int(text) else { continue }
                found.append(number)
            }
            if parts.popLast() == nil { return found }
        }
    }
}
