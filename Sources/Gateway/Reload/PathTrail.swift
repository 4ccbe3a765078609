import CLinux

private import Glibc

/// Every directory entry that decides which file a path leads to: the last one, each symbolic link on the way, and the
/// first one that is missing. When none of them changes, the path leads where it led.
struct PathTrail: Equatable {
    /// Links followed at most, as the kernel does (ELOOP beyond).
    private static let linkLimit = 40

    /// Names that matter, by the directory they stand in.
    private(set) var names: [String: Set<String>] = [:]

    /// Walks `paths` by readlink(2).
    init(of paths: some Sequence<String>) {
        for path in paths { walk(path) }
    }

    private mutating func walk(_ path: String) {
        var directory = path.hasPrefix("/") ? "/" : "."
        var rest = Self.components(of: path)
        var links = 0
        while let name = rest.popLast() {
            let entry = directory == "/" ? "/" + name : directory + "/" + name
            switch Self.read(entry) {
            case .link(let target):
                names[directory, default: []].insert(name)
                links += 1
                guard links <= Self.linkLimit else { return }
                if target.hasPrefix("/") { directory = "/" }
                rest += Self.components(of: target)
            case .other where !rest.isEmpty: directory = entry
            case .other, .missing:
                names[directory, default: []].insert(name)
                return
            }
        }
    }

    /// The components, last one first. ".." stays: the directory before it is real by then, so the kernel resolves it.
    private static func components(of path: String) -> [String] {
        path.split(separator: "/").filter { $0 != "." }.reversed().map(String.init)
    }

    private enum Entry {
        case link(target: String)
        case other
        case missing
    }

    /// Calls readlink(2).
    private static func read(_ entry: String) -> Entry {
        var target = [CChar](repeating: 0, count: Int(PATH_MAX))
        let length = unsafe linux_read_link(entry, &target, target.count)
        if length == -Int(EINVAL) { return .other }
        if length <= 0 { return .missing }
        return .link(target: String(decoding: target.prefix(length).map(UInt8.init(bitPattern:)), as: UTF8.self))
    }
}
