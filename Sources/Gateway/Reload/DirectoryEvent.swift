import CLinux

/// One change inotify(7) tells of.
struct DirectoryEvent: Equatable {
    /// Which watch it belongs to; -1 when the kernel lost events.
    var watch: Int32
    var mask: UInt32
    /// The entry of the directory; empty when the directory itself is meant.
    var name: String

    /// Some event was lost, or a watched directory went away: nothing may be concluded from silence.
    var concernsDirectory: Bool {
        mask & UInt32(IN_Q_OVERFLOW | IN_IGNORED | IN_DELETE_SELF | IN_MOVE_SELF | IN_UNMOUNT) != 0
    }

    /// The content of the entry was written to.
    var isModification: Bool { mask & UInt32(IN_MODIFY) != 0 }

    /// The entry was open for writing and was closed.
    var isClosedWrite: Bool { mask & UInt32(IN_CLOSE_WRITE) != 0 }

    /// The entry is new in its directory: created, or linked there.
    var isCreation: Bool { mask & UInt32(IN_CREATE) != 0 }

    /// The name leads to another file than before, or to none.
    var isAnotherFile: Bool { mask & UInt32(IN_CREATE | IN_DELETE | IN_MOVED_TO | IN_MOVED_FROM) != 0 }

    /// What a directory is watched for.
    static let interest = UInt32(
        IN_CLOSE_WRITE | IN_MODIFY | IN_ATTRIB | IN_CREATE | IN_DELETE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE_SELF
            | IN_MOVE_SELF | IN_ONLYDIR)

    /// Takes apart what read(2) gave: a header of 16 bytes each, then the name, padded with NUL.
    static func parse(_ bytes: Span<UInt8>) -> [DirectoryEvent] {
        var events: [DirectoryEvent] = []
        var index = 0
        while index + 16 <= bytes.count {
            let length = Int(word(bytes, at: index + 12))
            let end = min(index + 16 + length, bytes.count)
            var name: [UInt8] = []
            for place in index + 16..<end {
                if bytes[place] == 0 { break }
                name.append(bytes[place])
            }
            events.append(
                DirectoryEvent(
                    watch: Int32(bitPattern: word(bytes, at: index)), mask: word(bytes, at: index + 4),
                    name: String(decoding: name, as: UTF8.self)))
            index = end
        }
        return events
    }

    /// Four bytes in the order of the machine, which for every Linux that Swift runs on is little-endian.
    private static func word(_ bytes: Span<UInt8>, at index: Int) -> UInt32 {
        UInt32(bytes[index]) | UInt32(bytes[index + 1]) << 8 | UInt32(bytes[index + 2]) << 16
            | UInt32(bytes[index + 3]) << 24
    }
}
