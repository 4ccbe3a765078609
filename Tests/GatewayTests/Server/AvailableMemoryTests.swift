import Testing

@testable import Gateway

/// The least of what the machine has and its control groups allow, whatever the version of these.
@Suite struct AvailableMemoryTests {
    private static let machine = ["/proc/meminfo": "MemTotal:        2048 kB\nMemFree:         100 kB\n"]

    private static func bytes(_ files: [String: String]) -> Int? {
        AvailableMemory.files { files[$0] ?? machine[$0] }
    }

    @Test func `the machine's, where no group is bounded`() {
        #expect(Self.bytes([:]) == 2048 * 1024)
        #expect(Self.bytes(["/proc/self/cgroup": "0::/a/b\n", "/sys/fs/cgroup/a/memory.max": "max\n"]) == 2048 * 1024)
        #expect(AvailableMemory.files { _ in nil } == nil)
        #expect((AvailableMemory.bytes ?? 0) > 1_048_576)
    }

    @Test func `a group's, or that of a group around it`() {
        let own = ["/proc/self/cgroup": "0::/a/b\n"]
        #expect(Self.bytes(own.merging(["/sys/fs/cgroup/a/b/memory.max": "1000000\n"]) { $1 }) == 1_000_000)
        #expect(Self.bytes(own.merging(["/sys/fs/cgroup/a/memory.max": "900000\n"]) { $1 }) == 900_000)
        #expect(
            Self.bytes(
                own.merging(["/sys/fs/cgroup/a/b/memory.max": "1000000", "/sys/fs/cgroup/a/memory.high": "800000"]) { $1 }) == 800_000)
        // In a container the group is the root of what is mounted, whatever the path says.
        #expect(Self.bytes(own.merging(["/sys/fs/cgroup/memory.max": "700000\n"]) { $1 }) == 700_000)
    }

    @Test func `version 1, where a bound of nearly everything is none`() {
        let own = ["/proc/self/cgroup": "12:cpu,cpuacct:/x\n5:memory:/docker/abc\n1:name=systemd:/x\n"]
        let folder = "/sys/fs/cgroup/memory"
        #expect(Self.bytes(own.merging(["\(folder)/docker/abc/memory.limit_in_bytes": "500000\n"]) { $1 }) == 500_000)
        #expect(Self.bytes(own.merging(["\(folder)/memory.limit_in_bytes": "9223372036854771712\n"]) { $1 }) == 2048 * 1024)
    }

    @Test(arguments: ["", "0::", "x", "0:memory", "::::\n", "5:memory:/../..\n", "0::/a\n0::/a\n"])
    func `a text that is none says nothing`(_ text: String) {
        #expect(Self.bytes(["/proc/self/cgroup": text, "/sys/fs/cgroup/memory.max": "no number"]) == 2048 * 1024)
    }
}
